"""Common forms of preference sets, so that a new set of such a form needs no code."""

from __future__ import annotations

import polars as pl

from curation.core import messages
from curation.core.schema import MESSAGES
from curation.sources.base import (
    MODEL_COLUMNS,
    MODELS,
    SAYS,
    SIDES,
    Format,
    Layout,
    Options,
    asked,
    candidates,
    sided,
    user_or_list,
    whole_lists,
    with_input,
)

col = pl.col
_SCORES = {"chosen_score": pl.Float64, "rejected_score": pl.Float64}
_SCORE_COLUMNS = {**{name: col(name) for name in _SCORES}, **MODEL_COLUMNS}
_BESIDE = {**SIDES, **MODELS}


def _strings(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    return candidates(
        native,
        prompt=asked(native, "prompt"),
        chosen=col("chosen"),
        rejected=col("rejected"),
        **_SCORE_COLUMNS,
    )


_ANSWERS = {"chosen": pl.String, "rejected": pl.String}
_HISTORY = {"history": SIDES["history"], **MODELS}
_TEXTS = tuple(
    Layout({"prompt": dtype, **_ANSWERS}, _strings, {"system": pl.String, **_SCORES}, _HISTORY)
    for dtype in (pl.String(), MESSAGES)
)
STRINGS = Format("strings", "preference", _TEXTS)


def _implicit(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    sides = [sided(native, col(side)) for side in ("chosen", "rejected")]
    return candidates(native, **whole_lists(*sides), **_SCORE_COLUMNS)


def _explicit(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    """A prompt and answers behind it; where a side repeats the prompt, that is used once."""
    sides = [sided(native, side) for side in _behind_prompt(native)]
    return candidates(native, **whole_lists(*sides), **_SCORE_COLUMNS)


def _behind_prompt(native: pl.LazyFrame) -> list[pl.Expr]:
    """Both sides as whole conversations."""
    names = ("chosen", "rejected")
    longer = [(col(name).list.len() > 1).any() for name in names]
    plain = [pl.concat_list(col("prompt"), col(name)) for name in names]
    if not any(native.select(pl.any_horizontal(longer)).collect().row(0)):
        return plain
    asked_first = _first_spoken(col("prompt"))
    repeats = pl.all_horizontal(_first_spoken(col(name)) == asked_first for name in names)
    return [
        pl.when(repeats.fill_null(False)).then(_once(col(name))).otherwise(whole)
        for name, whole in zip(names, plain, strict=True)
    ]


def _first_spoken(conversation: pl.Expr) -> pl.Expr:
    """The first message that is no system turn, as one text."""
    first = conversation.list.get(_leads(conversation).cast(pl.Int64), null_on_oob=True).struct
    return pl.concat_str(first.field("role"), pl.lit("\x1f"), first.field("content"))


def _leads(conversation: pl.Expr) -> pl.Expr:
    """Whether a system turn comes first."""
    first = conversation.list.get(0, null_on_oob=True).struct
    return (first.field("role") == "system").fill_null(False)


def _once(side: pl.Expr) -> pl.Expr:
    """A side that holds the prompt, behind the prompt's system turn where it has none itself."""
    prompt = col("prompt")
    lacks = _leads(prompt) & ~_leads(side)
    return pl.when(lacks).then(pl.concat_list(prompt.list.head(1), side)).otherwise(side)


def _asked(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    """A prompt as text beside message lists, which hold it again or the answers alone."""
    question = user_or_list("prompt")
    alone = col("chosen").list.len() == 1
    sides = [
        sided(
            native,
            pl.when(alone).then(pl.concat_list(question, col(side))).otherwise(col(side)),
        )
        for side in ("chosen", "rejected")
    ]
    return candidates(native, **whole_lists(*sides), **_SCORE_COLUMNS)


_LISTS = {"chosen": MESSAGES, "rejected": MESSAGES}
_IMPLICIT = Layout(_LISTS, _implicit, _SCORES, _BESIDE)
RLHFLOW = Format("rlhflow", "preference", (_IMPLICIT,))
TRL = Format(
    "trl",
    "preference",
    (
        Layout({"prompt": MESSAGES, **_LISTS}, _explicit, _SCORES, _BESIDE),
        Layout({"prompt": pl.String, **_LISTS}, _asked, _SCORES, _BESIDE),
        _IMPLICIT,
        *_TEXTS,
    ),
)


def _answered(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    """A whole conversation and what another answer to it would be."""
    said = sided(native, col("messages"))
    whole = messages.assistant(col("rejected_response"))
    other = pl.concat_list(said.list.head(said.list.len().cast(pl.Int64) - 1), whole)
    return candidates(native, **whole_lists(said, other), **_SCORE_COLUMNS)


def _two_lists(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    sides = [sided(native, col(name)) for name in ("messages", "rejected_messages")]
    return candidates(native, **whole_lists(*sides), **_SCORE_COLUMNS)


SWIFT_PAIRS = Format(
    "swift_pairs",
    "preference",
    (
        Layout({"messages": MESSAGES, "rejected_response": pl.String}, _answered, _SCORES, _BESIDE),
        Layout({"messages": MESSAGES, "rejected_messages": MESSAGES}, _two_lists, _SCORES, _BESIDE),
    ),
)


def _sharegpt_pairs(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    """The answers as one turn each, as lists of turns, or as plain text."""
    said = messages.role_names(col("conversations"), "from", "value")
    context = sided(native, said)
    sides = [pl.concat_list(context, _answer(side, native)) for side in ("chosen", "rejected")]
    return candidates(native, **whole_lists(*sides), **_SCORE_COLUMNS)


def _answer(side: str, native: pl.LazyFrame) -> pl.Expr:
    dtype = native.collect_schema()[side]
    if dtype == pl.String:
        return messages.assistant(col(side))
    turns = col(side) if isinstance(dtype, pl.List) else pl.concat_list(col(side))
    return messages.role_names(turns, "from", "value")


_SAID = pl.Struct({"from": pl.String, "value": pl.String})
SHAREGPT_PAIRS = Format(
    "sharegpt_pairs",
    "preference",
    tuple(
        Layout(
            {"conversations": SAYS, "chosen": dtype, "rejected": dtype},
            _sharegpt_pairs,
            sides={**_BESIDE, **_SCORES},
        )
        for dtype in (_SAID, SAYS, pl.String())
    ),
)


def _instructed(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    question = messages.user(with_input(col("instruction"), col("input")))
    return candidates(
        native,
        prompt=sided(native, question),
        chosen=col("chosen"),
        rejected=col("rejected"),
        **_SCORE_COLUMNS,
    )


_INSTRUCTED = Layout(
    {"instruction": pl.String, **_ANSWERS},
    _instructed,
    _SCORES,
    {"input": pl.String, **_BESIDE},
)
CODE_ULTRAFEEDBACK = Format("code_ultrafeedback", "preference", (_INSTRUCTED,))
ALPACA_PAIRS = Format("alpaca_pairs", "preference", (_INSTRUCTED,))


def _argilla_math(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    return candidates(
        native,
        prompt=user_or_list("instruction"),
        chosen=col("chosen_response"),
        rejected=col("rejected_response"),
        chosen_score=col("chosen_rating"),
        rejected_score=col("rejected_rating"),
        **MODEL_COLUMNS,
    )


ARGILLA_MATH = Format(
    "argilla_math",
    "preference",
    (
        Layout(
            {
                "instruction": pl.String,
                "chosen_response": pl.String,
                "rejected_response": pl.String,
                "chosen_rating": pl.Float64,
                "rejected_rating": pl.Float64,
            },
            _argilla_math,
            sides=MODELS,
        ),
    ),
)
