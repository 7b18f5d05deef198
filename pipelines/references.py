"""Reference log-probabilities as a table: computed once per pair, reused when history grows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from curation import schema
from pipelines import comparisons

if TYPE_CHECKING:
    from training.chat_template import ChatTemplate

_KEY = ["pair_id", "reference_sha", "template_sha"]


def compute(reference: Path, pairs: pl.DataFrame, known: pl.DataFrame, budget: int) -> pl.DataFrame:
    """Rows of the reference table for every pair under one reference policy.

    Args:
        reference: the policy's checkpoint.
        pairs: a history.
        known: rows computed before; those of the same reference and template are reused as is.
        budget: tokens per forward pass.
    """
    if pairs.is_empty():
        return schema.REFERENCE.empty()
    from training import checkpoint
    from training.chat_template import ChatTemplate

    template = ChatTemplate(checkpoint.load_tokenizer(reference))
    wanted = pairs.with_columns(
        reference_sha=pl.lit(checkpoint.weights_sha(reference)),
        template_sha=pl.lit(template.sha),
    )
    reused = known.join(wanted.select(_KEY), on=_KEY, how="semi")
    fresh = wanted.join(known.select(_KEY), on=_KEY, how="anti").sort("pair_id")
    if fresh.is_empty():
        return reused
    chosen, rejected = _logprobs(reference, template, fresh, budget)
    computed = fresh.select(_KEY).with_columns(
        ref_chosen_logps=pl.Series(chosen, dtype=pl.Float64),
        ref_rejected_logps=pl.Series(rejected, dtype=pl.Float64),
    )
    return pl.concat([reused, computed])


def _logprobs(
    reference: Path, template: ChatTemplate, pairs: pl.DataFrame, budget: int
) -> tuple[list[float], list[float]]:
    from training import checkpoint, reference_logprobs

    return reference_logprobs.of_pairs(
        checkpoint.load_policy(reference), template, comparisons.of(pairs), budget
    )


def lookup(
    table: pl.DataFrame, reference_sha: str, template_sha: str
) -> dict[str, tuple[float, float]]:
    """Per pair id the log-probs of chosen and rejected under one reference and template."""
    rows = table.filter(
        pl.col("reference_sha") == reference_sha, pl.col("template_sha") == template_sha
    )
    return {
        pair: (chosen, rejected)
        for pair, chosen, rejected in rows.select(
            "pair_id", "ref_chosen_logps", "ref_rejected_logps"
        ).iter_rows()
    }
