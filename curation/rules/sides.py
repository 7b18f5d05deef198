"""Rules that hold the two answers, or answer and prompt, against each other."""

from __future__ import annotations

import polars as pl

from curation.core import messages
from curation.rules.rule import Rule
from curation.rules.texts import answers, asked_last, which

col = pl.col
_SHORT = 40  # characters: a shorter answer may well be a word of its prompt
_LISTED = r"""^\s*\[\s*\{\s*['"](?:role|from|content|value)['"]\s*:"""
_OPEN_END = r"[\p{Ll}\p{N}] [\p{L}\p{N} '-]*[\p{Ll},]$"
_LONG = 200


def _gap() -> pl.Expr:
    return col("chosen").str.len_chars().cast(pl.Int64) - col("rejected").str.len_chars()


def likeness() -> pl.Expr:
    """Jaccard similarity of the two answers' sets of words; null under 10 words."""
    a, b = (col(side).str.split(" ").list.unique() for side in ("chosen", "rejected"))
    both = a.list.set_intersection(b).list.len()
    union = a.list.len() + b.list.len() - both
    return pl.when(union >= 10).then(both / union)


def _answer_in_prompt() -> pl.Expr:
    long = pl.when(col("chosen").str.len_chars() >= _SHORT).then(col("chosen").str.strip_chars())
    said = messages.contents(col("prompt")).list.join("\n")
    return said.str.contains(long, literal=True)


def _cut(text: pl.Expr) -> pl.Expr:
    """Whether a long text ends within a sentence."""
    end = pl.when(text.str.len_chars() >= _LONG).then(text.str.strip_chars_end().str.tail(80))
    return end.str.contains(_OPEN_END)


def _is_listed(text: pl.Expr) -> pl.Expr:
    return text.str.contains(_LISTED)


RULES = (
    Rule(
        "length_gap",
        "One answer is longer than the other by more than this many characters.",
        lambda limit: _gap().abs() > limit,
        lambda limit: pl.format("chosen longer by {}, over {}", _gap(), pl.lit(limit)),
        threshold=400,
        takes=int,
        within=(0, 1_000_000_000),
    ),
    Rule(
        "alike_responses",
        "The answers' sets of words are alike by this share or more: they hardly differ.",
        lambda share: likeness() >= share,
        lambda share: pl.format("similarity {}, from {}", likeness().round(3), pl.lit(share)),
        threshold=0.95,
        takes=float,
        within=(0.0, 1.0),
    ),
    Rule(
        "answer_in_prompt",
        "The prompt holds the chosen answer whole: there is nothing left to answer.",
        lambda _: _answer_in_prompt(),
        lambda _: pl.concat_str(pl.lit("the prompt holds "), col("chosen").str.head(60)),
    ),
    Rule(
        "messages_as_text",
        "An answer or a prompt is a list of messages that was written as text.",
        lambda _: answers(_is_listed) | _is_listed(asked_last()).fill_null(False),
        lambda _: pl.lit("a text begins as a list of messages does"),
    ),
    Rule(
        "unfinished",
        "A long answer ends within a sentence: it was cut at a limit.",
        lambda _: answers(_cut),
        lambda _: which(_cut),
    ),
)
