"""Sets that publish one comparison of two texts per row."""

from __future__ import annotations

import polars as pl

from curation.core import messages
from curation.core.schema import MESSAGES
from curation.sources.base import (
    MODEL_COLUMNS,
    SAYS,
    Format,
    Layout,
    Options,
    candidates,
    ordered,
    user_or_list,
    whole_lists,
)

col = pl.col


def _hh_rlhf(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    chosen, rejected = messages.transcript(col("chosen")), messages.transcript(col("rejected"))
    parsed = native.select("source_row", chosen.alias("chosen"), rejected.alias("rejected"))
    return candidates(parsed, **whole_lists(col("chosen"), col("rejected")))


HH_RLHF = Format(
    "hh_rlhf",
    "preference",
    (Layout({"chosen": pl.String, "rejected": pl.String}, _hh_rlhf),),
)


def _shp(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    a_wins = col("labels") == 1  # the card: 1 means A is preferred, 0 means B
    return candidates(
        native,
        prompt=user_or_list("history"),
        **ordered(col("human_ref_A"), col("human_ref_B"), a_wins),
        chosen_score=pl.when(a_wins).then(col("score_A")).otherwise(col("score_B")),
        rejected_score=pl.when(a_wins).then(col("score_B")).otherwise(col("score_A")),
        _score_ratio=col("score_ratio"),
        _label_known=col("labels").is_in([0, 1]),
        _priority=col("score_ratio"),
    )


SHP = Format(
    "shp",
    "preference",
    (
        Layout(
            {
                "history": pl.String,
                "human_ref_A": pl.String,
                "human_ref_B": pl.String,
                "labels": pl.Int64,
                "score_ratio": pl.Float64,
            },
            _shp,
            {
                "post_id": pl.String,
                "domain": pl.String,
                "score_A": pl.Int64,
                "score_B": pl.Int64,
            },
        ),
    ),
)


def _pku(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    safe_0, safe_1 = col("is_response_0_safe"), col("is_response_1_safe")
    winner = pl.when(safe_0 != safe_1).then("safer_response_id").otherwise("better_response_id")
    safer_0 = col("safer_response_id") == 0
    return candidates(
        native,
        prompt=user_or_list("prompt"),
        **ordered(col("response_0"), col("response_1"), winner == 0),
        _contradicted=(safe_0 != safe_1) & (safer_0 != safe_0),
        _label=winner,
        _label_known=winner.is_in([0, 1]),
    )


PKU_SAFERLHF = Format(
    "pku_saferlhf",
    "preference",
    (
        Layout(
            {
                "prompt": pl.String,
                "response_0": pl.String,
                "response_1": pl.String,
                "is_response_0_safe": pl.Boolean,
                "is_response_1_safe": pl.Boolean,
                "better_response_id": pl.Int64,
                "safer_response_id": pl.Int64,
            },
            _pku,
            {
                "prompt_source": pl.String,
                "response_0_source": pl.String,
                "response_1_source": pl.String,
                "response_0_severity_level": pl.Int64,
                "response_1_severity_level": pl.Int64,
            },
        ),
    ),
)


def _ultrainteract(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    return candidates(
        native,
        prompt=messages.role_names(col("trajectory"), "from", "value"),
        chosen=col("chosen"),
        rejected=col("rejected"),
    )


ULTRAINTERACT = Format(
    "ultrainteract",
    "preference",
    (
        Layout(
            {"trajectory": SAYS, "chosen": pl.String, "rejected": pl.String},
            _ultrainteract,
            {"id": pl.String, "parent_id": pl.String, "task": pl.String, "dataset": pl.String},
        ),
    ),
)


def _capybara(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    return candidates(
        native,
        **whole_lists(col("chosen"), col("rejected")),
        chosen_score=col("rating_chosen"),
        rejected_score=col("rating_rejected"),
        **MODEL_COLUMNS,
    )


CAPYBARA = Format(
    "capybara",
    "preference",
    (
        Layout(
            {
                "chosen": MESSAGES,
                "rejected": MESSAGES,
                "rating_chosen": pl.Int64,
                "rating_rejected": pl.Int64,
            },
            _capybara,
            {"source": pl.String, "chosen_model": pl.String, "rejected_model": pl.String},
        ),
    ),
)


def _orca(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    return candidates(
        native,
        prompt=messages.with_system(col("system"), user_or_list("input")),
        chosen=col("chosen"),
        rejected=col("rejected"),
        chosen_score=col("chosen_score"),
        rejected_score=col("rating").list.min(),
        _status=col("status"),
        _in_gsm8k_train=col("in_gsm8k_train"),
    )


ORCA = Format(
    "orca",
    "preference",
    (
        Layout(
            {
                "input": pl.String,
                "chosen": pl.String,
                "rejected": pl.String,
                "status": pl.String,
                "chosen_score": pl.Float64,
                "in_gsm8k_train": pl.Boolean,
            },
            _orca,
            {"system": pl.String, "rating": pl.List(pl.Float64), "labelling_model": pl.String},
        ),
    ),
)


def _orca_intel(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    return candidates(
        native,
        prompt=messages.with_system(col("system"), user_or_list("question")),
        chosen=col("chosen"),
        rejected=col("rejected"),
    )


ORCA_INTEL = Format(
    "orca_intel",
    "preference",
    (
        Layout(
            {"question": pl.String, "chosen": pl.String, "rejected": pl.String},
            _orca_intel,
            {"system": pl.String},
        ),
    ),
)
