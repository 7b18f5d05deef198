"""Common forms of preference sets, so that a new set of such a form needs no code."""

from __future__ import annotations

import polars as pl

from curation.core import messages
from curation.core.schema import MESSAGES
from curation.sources.base import (
    SAYS,
    Format,
    Layout,
    Options,
    candidates,
    user_or_list,
    whole_lists,
)

col = pl.col
_SCORES = {"chosen_score": pl.Float64, "rejected_score": pl.Float64}
_SCORE_COLUMNS = {name: col(name) for name in _SCORES}


def _strings(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    return candidates(
        native,
        prompt=messages.with_system(col("system"), user_or_list("prompt")),
        chosen=col("chosen"),
        rejected=col("rejected"),
        **_SCORE_COLUMNS,
    )


_TEXTS = {"prompt": pl.String, "chosen": pl.String, "rejected": pl.String}
_STRINGS = Layout(_TEXTS, _strings, {"system": pl.String, **_SCORES})
STRINGS = Format("strings", "preference", (_STRINGS,))


def _implicit(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    return candidates(native, **whole_lists(col("chosen"), col("rejected")), **_SCORE_COLUMNS)


def _explicit(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    sides = [pl.concat_list(col("prompt"), col(side)) for side in ("chosen", "rejected")]
    return candidates(native, **whole_lists(*sides), **_SCORE_COLUMNS)


def _asked(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    """A prompt as text beside message lists, which hold it again or the answers alone."""
    asked = user_or_list("prompt")
    alone = col("chosen").list.len() == 1
    sides = [
        pl.when(alone).then(pl.concat_list(asked, col(side))).otherwise(col(side))
        for side in ("chosen", "rejected")
    ]
    return candidates(native, **whole_lists(*sides), **_SCORE_COLUMNS)


_SIDES = {"chosen": MESSAGES, "rejected": MESSAGES}
_IMPLICIT = Layout(_SIDES, _implicit, _SCORES)
RLHFLOW = Format("rlhflow", "preference", (_IMPLICIT,))
TRL = Format(
    "trl",
    "preference",
    (
        Layout({"prompt": MESSAGES, **_SIDES}, _explicit, _SCORES),
        Layout({"prompt": pl.String, **_SIDES}, _asked, _SCORES),
        _IMPLICIT,
        _STRINGS,
    ),
)


def _sharegpt_pairs(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    """The answers as one turn each, as lists of turns, or as plain text."""
    context = messages.role_names(col("conversations"), "from", "value")
    sides = [pl.concat_list(context, _answer(side, native)) for side in ("chosen", "rejected")]
    return candidates(native, **whole_lists(*sides))


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
        Layout({"conversations": SAYS, "chosen": dtype, "rejected": dtype}, _sharegpt_pairs)
        for dtype in (_SAID, SAYS, pl.String())
    ),
)


def _code_ultrafeedback(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    return candidates(
        native,
        prompt=user_or_list("instruction"),
        chosen=col("chosen"),
        rejected=col("rejected"),
        **_SCORE_COLUMNS,
    )


CODE_ULTRAFEEDBACK = Format(
    "code_ultrafeedback",
    "preference",
    (
        Layout(
            {"instruction": pl.String, "chosen": pl.String, "rejected": pl.String},
            _code_ultrafeedback,
            _SCORES,
        ),
    ),
)


def _argilla_math(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    return candidates(
        native,
        prompt=user_or_list("instruction"),
        chosen=col("chosen_response"),
        rejected=col("rejected_response"),
        chosen_score=col("chosen_rating"),
        rejected_score=col("rejected_rating"),
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
        ),
    ),
)
