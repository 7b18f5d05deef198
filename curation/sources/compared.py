"""Two responses and who won, under any names: people's votes, arenas, preference strengths."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from curation.core.errors import UserError
from curation.core.schema import MESSAGES
from curation.sources.base import (
    SIDES,
    Expand,
    Format,
    Layout,
    Options,
    asked,
    candidates,
    ordered,
    sided,
    whole_lists,
)

col = pl.col
_NAMED = ("{}", "model_{}", "response_{}", "answer_{}", "assistant_{}", "output_{}", "option_{}")
_BETTER = ("{}_is_better", "{}_wins", "{}_better", "{}_is_much_better", "{}_is_slightly_better")
A = (*(one.format("a") for one in (*_NAMED, *_BETTER)), "a>b", "a>>b", "first", "left")
B = (*(one.format("b") for one in (*_NAMED, *_BETTER)), "b>a", "b>>a", "second", "right")
"""Labels that say by themselves which response won, in lower case and without brackets; a number,
or a boolean, never does."""
_SCORES = {"score_a": pl.Float64, "score_b": pl.Float64}
_BESIDE = {**SIDES, "model_a": pl.String, "model_b": pl.String}
_NUMBER = r"^(?:[+-]?\d+(?:\.\d+)?|(?i:true|false))$"
_NO_WORD = r"[^a-z0-9<>=]+"


def _won(native: pl.LazyFrame, options: Options) -> tuple[pl.Expr, pl.Expr]:
    """Whether the first response won and whether the second did, by the label.

    Raises:
        UserError: the labels are numbers, and no option says what they stand for.
    """
    label = col("label").str.strip_chars().str.replace(r"^([+-]?\d+)\.0+$", "$1")
    if "a" in options or "b" in options:
        if not ("a" in options and "b" in options):
            raise UserError("options: give both a and b, the labels by which each response won")
        return _means(label, options["a"]), _means(label, options["b"])
    odd = native.filter(label.str.contains(_NUMBER)).select(label.head(1)).collect()
    if odd.height:
        raise UserError(
            f"options: the label {odd.item()} could mean either response: say "
            "which labels mean that the first won (a) and the second (b), as in {a: '0', b: '1'} "
            "or {a: '<0', b: '>0'}"
        )
    word = label.str.to_lowercase().str.replace_all(_NO_WORD, "_").str.strip_chars("_")
    return word.is_in(A), word.is_in(B)


def _means(label: pl.Expr, said: str) -> pl.Expr:
    """Whether a label is one of the texts apart by |, or lies beyond a number, as "<0" says."""
    if said[:1] in ("<", ">"):
        try:
            limit = float(said[1:])
        except ValueError:
            raise UserError(f"options: {said!r} is no bound on a number, as '<0' is") from None
        number = label.cast(pl.Float64, strict=False)
        return (number < limit if said[0] == "<" else number > limit).fill_null(False)
    return label.str.to_lowercase().is_in([one.strip().lower() for one in said.split("|")])


def _columns(a: pl.Expr, b: pl.Expr) -> dict[str, pl.Expr]:
    """Scores by the winner's place, and whether there is one winner."""
    return {
        "chosen_score": pl.when(b).then("score_b").otherwise("score_a"),
        "rejected_score": pl.when(b).then("score_a").otherwise("score_b"),
        "chosen_model": pl.when(b).then("model_b").otherwise("model_a"),
        "rejected_model": pl.when(b).then("model_a").otherwise("model_b"),
        "_label_known": a != b,
    }


def _responses(native: pl.LazyFrame, a: pl.Expr, b: pl.Expr) -> pl.LazyFrame:
    return candidates(
        native,
        prompt=asked(native, "prompt"),
        **ordered(_last(native, "response_a"), _last(native, "response_b"), ~b),
        **_columns(a, b),
        _label=_label(native),
    )


def _last(native: pl.LazyFrame, name: str) -> pl.Expr:
    """A response's text; of a list of turns the last one's."""
    text = native.collect_schema()[name] == pl.String
    return col(name) if text else col(name).list.last().struct.field("content")


def _label(native: pl.LazyFrame) -> pl.Expr:
    return col("label") if "label" in native.collect_schema() else pl.lit(None, dtype=pl.String)


def _conversations(native: pl.LazyFrame, a: pl.Expr, b: pl.Expr) -> pl.LazyFrame:
    first, second = (sided(native, col(f"conversation_{one}")) for one in "ab")
    sides = [pl.when(b).then(y).otherwise(x) for x, y in ((first, second), (second, first))]
    return candidates(native, **whole_lists(*sides), **_columns(a, b), _label=_label(native))


def _labelled(native: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    return _responses(native, *_won(native, options))


def _labelled_lists(native: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    return _conversations(native, *_won(native, options))


def _listed(native: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Two responses in one list; where they are not two, no label names one."""
    two = col("responses").list.len() == 2
    texts = [
        col("responses").list.get(place, null_on_oob=True).alias(f"response_{name}")
        for place, name in enumerate("ab")
    ]
    label = pl.when(two).then("label").otherwise(pl.lit("not two responses")).alias("label")
    return _labelled(native.with_columns(*texts, label, *_no_scores()), options)


def _scored(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    a, b = col("score_a") > col("score_b"), col("score_b") > col("score_a")
    return _responses(native, a.fill_null(False), b.fill_null(False))


def _no_scores() -> list[pl.Expr]:
    return [pl.lit(None, dtype=dtype).alias(name) for name, dtype in _SCORES.items()]


def _flagged(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    """Arena's own columns: a flag for each side and for a tie."""
    flags = [col(f"winner_model_{one}") == 1 for one in "ab"]
    return _responses(native.with_columns(_no_scores()), *(flag.fill_null(False) for flag in flags))


def _forms(expand: Expand, more: Mapping[str, pl.DataType], scores: bool) -> tuple[Layout, ...]:
    """The layouts of a prompt and two responses, each a text or turns."""
    optional = _SCORES if scores else {}
    return tuple(
        Layout(
            {"prompt": asks, "response_a": says, "response_b": says, **more},
            expand,
            optional,
            _BESIDE,
            loose=frozenset({"label", *more}),
        )
        for says in (pl.String(), MESSAGES)
        for asks in (pl.String(), MESSAGES)
    )


_LISTS = Layout(
    {"conversation_a": MESSAGES, "conversation_b": MESSAGES, "label": pl.String},
    _labelled_lists,
    _SCORES,
    _BESIDE,
    loose=frozenset({"label"}),
)
_TWO_IN_A_LIST = tuple(
    Layout(
        {"prompt": asks, "responses": pl.List(pl.String), "label": pl.String},
        _listed,
        sides=_BESIDE,
        loose=frozenset({"label"}),
    )
    for asks in (pl.String(), MESSAGES)
)
COMPARISON = Format(
    "comparison",
    "preference",
    (
        *_forms(_labelled, {"label": pl.String()}, scores=True),
        _LISTS,
        *_TWO_IN_A_LIST,
        *_forms(_scored, {"score_a": pl.Float64(), "score_b": pl.Float64()}, scores=False),
    ),
    frozenset({"a", "b"}),
)
_FLAGS = {f"winner_{one}": pl.Int64() for one in ("model_a", "model_b", "tie")}
ARENA = Format(
    "arena",
    "preference",
    (
        *_forms(_flagged, _FLAGS, scores=False),
        *_forms(_labelled, {"label": pl.String()}, scores=True),
        _LISTS,
    ),
)
