"""The pairwise preference model of one mix, trained as next-token prediction of A or B.

Run: python -m pipelines.stages.preference_model --init data/checkpoints/sft
--table data/mixes/mix2/mix.parquet --checkpoint data/checkpoints/preference_model
--metrics data/checkpoints/preference_model.json
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from curation.core import schema
from pipelines.core import io, stage
from pipelines.core import params as parameters
from pipelines.core.arguments import Arguments, reads, writes
from pipelines.core.stage import Stage
from pipelines.shared import comparisons, launching, settings


class Args(Arguments):
    """What the stage reads, writes and is told."""

    init: Path = reads()
    table: Path = reads()
    checkpoint: Path = writes()
    metrics: Path = writes()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; returns the exit code."""
    return stage.run("preference_model", Args, body, argv)


def body(run: Stage, args: Args) -> None:
    """Train on the train split; accuracy and swap consistency on the eval split."""
    params = parameters.load(args.params)
    launching.together(run, params.preference_model.launch)
    table = io.read(args.table, schema.MIXES)
    train = comparisons.of(table.filter(pl.col("split") == "train"))
    held_out = comparisons.of(table.filter(pl.col("split") == "eval"))
    from training.core import environment

    environment.prepare()
    from training.trainers import preference_model

    chosen = settings.preference_model(params)
    both = params.preference_model.orders == "both"
    metrics = preference_model.train(
        args.init,
        train,
        chosen,
        out=args.checkpoint,
        both_orders=both,
        work=run.kept_until_done("training"),
    )
    if not launching.first():
        return
    metrics |= preference_model.held_out(args.checkpoint, held_out, chosen)
    run.outputs.json(args.metrics, {"rows_in": table.height, **metrics})
    run.summary.rows_in = len(train)
    run.summary.kept = metrics["pairs"]
    run.summary.rejected = len(train) - metrics["pairs"]
    run.summary.tokens = round(metrics["tokens"] * chosen.epochs)
    run.summary.note = f"held-out accuracy {metrics.get('accuracy', float('nan')):.4f}"


if __name__ == "__main__":
    sys.exit(main())
