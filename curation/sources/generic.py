"""Common forms of preference sets, so that a new set of such a form needs no code."""

from __future__ import annotations

import polars as pl

from curation import messages
from curation.schema import MESSAGES
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


_SIDES = {"chosen": MESSAGES, "rejected": MESSAGES}
_IMPLICIT = Layout(_SIDES, _implicit, _SCORES)
RLHFLOW = Format("rlhflow", "preference", (_IMPLICIT,))
TRL = Format(
    "trl",
    "preference",
    (Layout({"prompt": MESSAGES, **_SIDES}, _explicit, _SCORES), _IMPLICIT, _STRINGS),
)


def _sharegpt_pairs(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    answers = {
        side: messages.role_names(pl.concat_list(col(side)), "from", "value")
        for side in ("chosen", "rejected")
    }
    context = messages.role_names(col("conversations"), "from", "value")
    sides = [pl.concat_list(context, answer) for answer in answers.values()]
    return candidates(native, **whole_lists(*sides))


_SAID = pl.Struct({"from": pl.String, "value": pl.String})
SHAREGPT_PAIRS = Format(
    "sharegpt_pairs",
    "preference",
    (Layout({"conversations": SAYS, "chosen": _SAID, "rejected": _SAID}, _sharegpt_pairs),),
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
            {"instruction": pl.String, "chosen": pl.String, "rejected": pl.String, **_SCORES},
            _code_ultrafeedback,
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
