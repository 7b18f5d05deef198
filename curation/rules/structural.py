"""Rules of form: what any conversation, comparison or prompt must be, whatever set it is from."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from curation.core import messages
from curation.rules.control_tokens import CONTROL_TOKENS
from curation.rules.rule import Rule, Threshold
from curation.rules.template_text import templated

col = pl.col

_CONTEXTS = ("prompt", "_other_prompt")


def _any_text(check: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
    """Whether any content of the item, on either side, passes the check."""
    content = pl.element().struct.field("content")
    lists = [col(name).list.eval(check(content)).list.any() for name in _CONTEXTS]
    texts = [check(col(name)) for name in ("chosen", "rejected")]
    return pl.any_horizontal(*(found.fill_null(False) for found in (*lists, *texts)))


def _has_token(tokens: Threshold) -> pl.Expr:
    wanted = list(tokens)
    return _any_text(lambda text: text.str.contains_any(wanted))


def _first_token(tokens: Threshold) -> pl.Expr:
    everything = pl.concat_str(
        messages.text(col("prompt")), "chosen", "rejected", separator="\n", ignore_nulls=True
    )
    return everything.str.extract_many(list(tokens)).list.first()


def _blank(text: pl.Expr) -> pl.Expr:
    return text.str.strip_chars() == ""


def _nothing(text: pl.Expr) -> pl.Expr:
    """Whether a turn says nothing: a native message may have null for its content."""
    return _blank(text).fill_null(True)


def _differ(field: str) -> pl.Expr:
    """Whether the contexts of both sides differ in a field; lists of structs compare slowly."""
    sides = (col(side).list.eval(pl.element().struct.field(field)) for side in _CONTEXTS)
    return next(sides) != next(sides)


def _letters(prompt: str = "prompt") -> pl.Expr:
    """Roles of the whole conversation without the leading system turn: "ua" is one exchange."""
    last = col("_last_role").replace_strict(
        {"user": "u", "assistant": "a", "system": "s"}, default="x", return_dtype=pl.String
    )
    return pl.concat_str(messages.role_letters(col(prompt)), last).str.strip_prefix("s")


def _odd(letters: pl.Expr) -> pl.Expr:
    """Whether a conversation of known roles has an odd number of turns, more than the last one."""
    return letters.str.contains("^[sua](?:[sua][sua])+$")


def _alternates(letters: pl.Expr) -> pl.Expr:
    """Whether user and assistant take turns; a lone last turn is left to empty_prompt."""
    return letters.str.contains("^(ua)+$|^a$")


def _asked_last() -> pl.Expr:
    return col("prompt").list.last().struct.field("content")


RULES = (
    Rule(
        "invalid_text",
        "A NUL character is no text: it ends strings early in other tools.",
        lambda _: _any_text(lambda text: text.str.contains("\x00", literal=True)),
        lambda _: pl.lit("NUL character"),
    ),
    Rule(
        "odd_turns",
        "A conversation is made of whole exchanges, so its number of turns is even.",
        lambda _: _odd(_letters()) & _odd(_letters("_other_prompt")).fill_null(True),
        lambda _: pl.concat_str(pl.lit("turns "), _letters().str.len_bytes().cast(pl.String)),
    ),
    Rule(
        "unequal_prompts",
        "A comparison answers one prompt: the context before the last turn must be the same.",
        lambda _: _differ("role") | _differ("content"),
        lambda _: pl.lit("contexts of chosen and rejected differ"),
        one_prompt=True,
    ),
    Rule(
        "bad_roles",
        "Turns must alternate between user and assistant, behind an optional system turn.",
        lambda _: ~_alternates(_letters()),
        lambda _: pl.concat_str(pl.lit("roles "), _letters()),
    ),
    Rule(
        "empty_prompt",
        "A prompt has at least one turn, and each of its turns has text.",
        lambda _: (
            (col("prompt").list.len() == 0)
            | col("prompt").list.eval(_nothing(pl.element().struct.field("content"))).list.any()
        ),
        lambda _: (
            pl.when(col("prompt").list.len() == 0)
            .then(pl.lit("no turn"))
            .otherwise(pl.lit("a blank turn"))
        ),
    ),
    Rule(
        "empty_response",
        "An empty or white-space response teaches nothing.",
        lambda _: pl.any_horizontal(_blank(col("chosen")), _blank(col("rejected"))),
        lambda _: (
            pl.concat_list(
                pl.when(_blank(col(side))).then(pl.lit(side)) for side in ("chosen", "rejected")
            )
            .list.drop_nulls()
            .list.join(" and ")
        ),
    ),
    Rule(
        "identical_responses",
        "A response cannot be better than itself.",
        lambda _: col("chosen").str.strip_chars() == col("rejected").str.strip_chars(),
        lambda _: pl.lit(""),
    ),
    Rule(
        "control_tokens",
        "Text that spells a control token of any family of models could be parsed as one.",
        _has_token,
        _first_token,
        threshold=CONTROL_TOKENS,
        takes=list,
    ),
    Rule(
        "template_text",
        "A prompt that ends with the assistant's mark went through a template of words already.",
        lambda _: templated(_asked_last()),
        lambda _: pl.concat_str(pl.lit("ends with "), _asked_last().str.strip_chars().str.tail(24)),
    ),
)
STRUCTURAL = (
    "invalid_text",
    "odd_turns",
    "unequal_prompts",
    "bad_roles",
    "empty_prompt",
    "empty_response",
    "identical_responses",
    "control_tokens",
    "template_text",
)
"""What "structural" in a list of filters stands for, in this order."""
