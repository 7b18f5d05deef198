"""What the oracle says of responses, as tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from curation.core import schema

if TYPE_CHECKING:
    from training.judges.oracle import Oracle


@dataclass(frozen=True)
class Judged:
    """The oracle's scores, and the parts of its verdicts where it gives any."""

    scores: pl.DataFrame
    parts: pl.DataFrame


def judged(oracle: Oracle, answers: pl.DataFrame) -> Judged:
    """Judge responses.

    Args:
        answers: generation_id, messages (the prompt) and response.
    """
    verdicts = oracle.judge(list(answers.select("messages", "response").iter_rows()))
    scores = answers.select(
        "generation_id",
        judge=pl.lit(oracle.name),
        reward=pl.Series([verdict.reward for verdict in verdicts], dtype=pl.Float64),
        reason=pl.Series([verdict.reason for verdict in verdicts], dtype=pl.String),
        judge_sha=pl.lit(oracle.sha),
        template_sha=pl.lit(oracle.template_sha),
        dtype=pl.lit(oracle.dtype),
    )
    rows = [
        (generation, part, verdict.kind, value)
        for generation, verdict in zip(answers["generation_id"], verdicts, strict=True)
        for part, value in verdict.parts.items()
    ]
    parts = pl.DataFrame(rows, schema=schema.PARTS.polars, orient="row")
    return Judged(scores.select(schema.SCORES.names), parts.sort(*schema.PARTS.key))
