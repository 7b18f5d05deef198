"""Reference log-probabilities as a table: computed once per pair, reused when history grows."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from curation.core import schema
from pipelines.core.stage import Stage
from pipelines.shared import comparisons, shards
from pipelines.shared.workers import Job

if TYPE_CHECKING:
    from training.core.chat_template import ChatTemplate
    from training.trainers.reference_logprobs import Stored

SHARD_PAIRS = 4096
_KEY = ["pair_id", "reference_sha", "template_sha"]
_LOGPS = {
    "ref_chosen_logps": "chosen",
    "ref_rejected_logps": "rejected",
    "ref_chosen_shared_logps": "chosen_shared",
    "ref_rejected_shared_logps": "rejected_shared",
}


def compute(
    run: Stage,
    reference: Path,
    pairs: pl.DataFrame,
    known: pl.DataFrame,
    budget: int,
    *,
    bf16: bool,
) -> pl.DataFrame:
    """Rows of the reference table for every pair under one reference policy.

    Args:
        run: the stage; a killed one goes on at the shard it was in.
        reference: the policy's checkpoint.
        pairs: a history.
        known: rows computed before; those of the same reference and template are reused as is.
        budget: tokens per forward pass.
        bf16: whether the policy is trained in bfloat16: the reference is computed as it is.
    """
    if pairs.is_empty():
        return schema.REFERENCE.empty()
    from training.core import checkpoint
    from training.core.chat_template import ChatTemplate

    template = ChatTemplate(checkpoint.load_tokenizer(reference))
    wanted = pairs.with_columns(
        reference_sha=pl.lit(checkpoint.weights_sha(reference)),
        template_sha=pl.lit(template.sha),
    )
    reused = known.join(wanted.select(_KEY), on=_KEY, how="semi")
    fresh = wanted.join(known.select(_KEY), on=_KEY, how="anti").sort("pair_id")
    if fresh.is_empty():
        return reused
    return pl.concat([reused, _computed(run, reference, fresh, budget=budget, bf16=bf16)])


def _computed(
    run: Stage,
    reference: Path,
    fresh: pl.DataFrame,
    *,
    budget: int,
    bf16: bool,
) -> pl.DataFrame:
    """Rows of the pairs that no table holds yet, shard by shard in the order of their ids."""
    key = [budget, bf16, fresh.select(_KEY).rows()]
    load = partial(_load, reference, bf16=bf16)
    job = Job(run.name, load, partial(_stored, budget=budget, bf16=bf16))
    made = shards.run(run, "references", key, fresh, SHARD_PAIRS, job=job)
    run.summary.tokens += int(made["tokens"].sum())
    return made.drop("tokens")


Loaded = tuple[Any, "ChatTemplate"]


def _load(reference: Path, *, bf16: bool) -> Loaded:
    """The reference policy and its template."""
    from training.core import checkpoint, environment
    from training.core.chat_template import ChatTemplate

    environment.prepare()
    from training.engines import logprobs

    template = ChatTemplate(checkpoint.load_tokenizer(reference))
    return logprobs.loaded(reference, bf16=bf16), template


def _stored(loaded: Loaded, rows: pl.DataFrame, *, budget: int, bf16: bool) -> pl.DataFrame:
    """Rows of the table for some pairs, and the tokens that computing them read."""
    from training.trainers import reference_logprobs

    items = comparisons.of(rows)
    stored = reference_logprobs.of_pairs(*loaded, items, budget, bf16=bf16)
    return _table(rows, stored).with_columns(tokens=pl.Series([one.tokens for one in stored]))


def _table(rows: pl.DataFrame, stored: list[Stored]) -> pl.DataFrame:
    logps = [
        pl.Series(column, [getattr(one, side) for one in stored], dtype=pl.Float64)
        for column, side in _LOGPS.items()
    ]
    return rows.select(_KEY).with_columns(logps)


def lookup(table: pl.DataFrame, reference_sha: str, template_sha: str) -> dict[str, Stored]:
    """Per pair id its log-probs under one reference and template."""
    from training.trainers.reference_logprobs import Stored

    rows = table.filter(
        pl.col("reference_sha") == reference_sha, pl.col("template_sha") == template_sha
    )
    return {pair: Stored(*logps) for pair, *logps in rows.select("pair_id", *_LOGPS).iter_rows()}
