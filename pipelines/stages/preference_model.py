"""The pairwise preference model of one mix, trained as next-token prediction of A or B.

Run: python -m pipelines.stages.preference_model --init data/checkpoints/sft
--table data/mixes/mix2/mix.parquet --checkpoint data/checkpoints/preference_model
--metrics data/checkpoints/preference_model.json
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import polars as pl

from curation.core import schema
from pipelines.core import io, stage
from pipelines.core import params as parameters
from pipelines.core.stage import Stage
from pipelines.shared import comparisons, settings


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; returns the exit code."""
    parser = stage.parser(__doc__, inputs=["init", "table"], outputs=["checkpoint", "metrics"])
    return stage.run("preference_model", parser, body, argv)


def body(run: Stage) -> None:
    """Train on the train split; accuracy and swap consistency on the eval split."""
    params = parameters.load(run.args.params)
    table = io.read(run.args.table, schema.MIXES)
    train = comparisons.of(table.filter(pl.col("split") == "train"))
    held_out = comparisons.of(table.filter(pl.col("split") == "eval"))
    from training.core import environment

    environment.prepare()
    from training.trainers import preference_model

    chosen = settings.preference_model(params)
    both = params.preference_model.orders == "both"
    metrics = preference_model.train(
        run.args.init,
        train,
        chosen,
        out=run.args.checkpoint,
        both_orders=both,
        work=stage.kept_until_done(run, "training"),
    )
    metrics |= preference_model.held_out(run.args.checkpoint, held_out, chosen)
    run.outputs.json(run.args.metrics, {"rows_in": table.height, **metrics})
    run.summary.rows_in = len(train)
    run.summary.kept = metrics["pairs"]
    run.summary.rejected = len(train) - metrics["pairs"]
    run.summary.tokens = round(metrics["tokens"] * chosen.epochs)
    run.summary.note = f"held-out accuracy {metrics.get('accuracy', float('nan')):.4f}"


if __name__ == "__main__":
    sys.exit(main())
