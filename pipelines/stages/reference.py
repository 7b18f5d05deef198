"""Log-probabilities of one iteration's history under its reference policy, as a stored table.

Run: python -m pipelines.stages.reference --iteration iter1 --sft data/checkpoints/sft
--policy data/checkpoints/sft --history data/iterations/iter1/history.parquet
--previous data/iterations/sft/reference.parquet --table data/iterations/iter1/reference.parquet
--metrics data/iterations/iter1/reference.json
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from curation.core import schema
from pipelines.core import io, stage
from pipelines.core import params as parameters
from pipelines.core.arguments import Arguments, foreach, reads, writes
from pipelines.core.stage import Stage
from pipelines.shared import references


class Args(Arguments):
    """What the stage reads, writes and is told."""

    sft: Path = reads()
    policy: Path = reads()
    history: Path = reads()
    previous: Path = reads()
    table: Path = writes()
    metrics: Path = writes()
    iteration: str = foreach()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; returns the exit code."""
    return stage.run("reference", Args, body, argv)


def body(run: Stage, args: Args) -> None:
    """Compute what the previous table does not hold yet."""
    params = parameters.load(args.params)
    history = io.read(args.history, schema.HISTORY)
    previous = io.read(args.previous, schema.REFERENCE)
    reference = args.sft if params.dpo.reference == "sft" else args.policy
    from training.core import environment

    environment.prepare()
    budget, bf16 = params.engine.batch_tokens, params.dpo.bf16
    table = references.compute(run, reference, history, previous, budget, bf16=bf16)
    rows = run.outputs.table(args.table, schema.REFERENCE, table)
    reused = table.join(previous, on=list(schema.REFERENCE.key), how="semi").height
    gap = table["ref_chosen_logps"] - table["ref_rejected_logps"]
    figures = {
        "rows_in": history.height,
        "kept": rows,
        "reused": reused,
        "computed": rows - reused,
        "dtype": "bfloat16" if bf16 else "float32",
        "mean_chosen_logps": table["ref_chosen_logps"].mean(),
        "mean_rejected_logps": table["ref_rejected_logps"].mean(),
        "reference_prefers_chosen": (gap > 0).cast(pl.Float64).mean(),
    }
    run.outputs.json(args.metrics, figures)
    run.summary.rows_in, run.summary.kept = history.height, rows
    run.summary.note = f"{reused} reused"


if __name__ == "__main__":
    sys.exit(main())
