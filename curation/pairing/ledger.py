"""The pair stage's ledger: responses that may not be paired, prompts and candidates left over."""

from __future__ import annotations

import polars as pl

from curation.core.schema import REJECTS
from curation.pairing.choose import Choice
from curation.pairing.responses import SLIM, Responses

_PAIR = [
    "prompt_id",
    "place",
    "chosen_id",
    "rejected_id",
    "chosen_reward",
    "rejected_reward",
    "chosen_adjusted",
    "rejected_adjusted",
    "margin",
    "chosen_chars",
    "rejected_chars",
    "chosen",
    "rejected",
]


def rejects(
    responses: Responses,
    choice: Choice,
    dropped: pl.DataFrame,
    iteration: str,
    sources: pl.DataFrame,
) -> pl.DataFrame:
    """What of an iteration, or of a part of it, ends in no pair.

    Args:
        responses: those that may not be paired are rejects of their own.
        choice: its prompts with fewer than two usable responses are.
        dropped: candidates that a rule dropped.
        iteration: its name.
        sources: prompt_id and source of every prompt.
    """
    stage = f"pair@{iteration}"
    singles = _responses(responses, stage, sources)
    lone = _prompts(responses, choice, stage, sources)
    return pl.concat([singles, _candidates(dropped, stage), lone]).select(REJECTS.names)


def _responses(responses: Responses, stage: str, sources: pl.DataFrame) -> pl.DataFrame:
    """One reject per response that may not be paired; item_id is its generation_id."""
    payload = pl.struct([*SLIM, "reward"]).struct.json_encode()
    return _row(
        responses.dropped.join(sources, on="prompt_id", how="left"),
        stage,
        pl.col("generation_id"),
        payload,
    )


def _candidates(dropped: pl.DataFrame, stage: str) -> pl.DataFrame:
    """One reject per candidate pair that a rule dropped.

    The item_id is the prompt_id; a prompt's further candidates append their place.
    """
    further = pl.concat_str("prompt_id", pl.lit(":"), "place")
    item = pl.when(pl.col("place") == 0).then("prompt_id").otherwise(further)
    return _row(dropped, stage, item, pl.struct(_PAIR).struct.json_encode())


def _prompts(
    responses: Responses, choice: Choice, stage: str, sources: pl.DataFrame
) -> pl.DataFrame:
    """One reject per prompt with fewer than two usable responses.

    The rule is truncated when its cut responses would have made up two, else no_scores.
    """
    counts = _counts(responses, choice)
    cut = pl.col("usable") + pl.col("cut") >= 2
    told = pl.format("{} of {} responses usable", "usable", "all")
    named = counts.with_columns(
        rule=pl.when(cut).then(pl.lit("truncated")).otherwise(pl.lit("no_scores")), detail=told
    )
    payload = pl.struct("prompt_id", "all", "usable", "cut").struct.json_encode()
    return _row(
        named.join(sources, on="prompt_id", how="left"), stage, pl.col("prompt_id"), payload
    )


def _counts(responses: Responses, choice: Choice) -> pl.DataFrame:
    """Responses, usable ones and cut ones of each prompt that offers no candidate."""
    lone = choice.lone.to_frame()
    usable = responses.usable.select("prompt_id", ok=pl.lit(1), cut=pl.lit(0))
    is_cut = (pl.col("rule") == "truncated").cast(pl.Int32)
    dropped = responses.dropped.select("prompt_id", ok=pl.lit(0), cut=is_cut)
    rows = pl.concat([usable, dropped]).join(lone, on="prompt_id", how="semi")
    sums = rows.group_by("prompt_id").agg(
        all=pl.len(), usable=pl.col("ok").sum(), cut=pl.col("cut").sum()
    )
    return sums.sort("prompt_id")


def _row(frame: pl.DataFrame, stage: str, item: pl.Expr, payload: pl.Expr) -> pl.DataFrame:
    return frame.select(
        stage=pl.lit(stage), item_id=item, source="source", rule="rule", detail="detail",
        payload=payload,
    )  # fmt: skip
