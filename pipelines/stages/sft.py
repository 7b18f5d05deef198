"""Supervised fine-tuning: base model + SFT mix -> pi0, the start and the reference of the loop.

Run: python -m pipelines.stages.sft --base data/checkpoints/base
--table data/sft_mix/sft_mix.parquet
--checkpoint data/checkpoints/sft --metrics data/checkpoints/sft.json
[--policies data/iterations/sft/policies.json]
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
from pipelines.shared import launching, policies, settings


class Args(Arguments):
    """What the stage reads, writes and is told."""

    base: Path = reads()
    table: Path = reads()
    checkpoint: Path = writes()
    metrics: Path = writes()
    policies: Path | None = writes(default=None)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; returns the exit code."""
    return stage.run("sft", Args, body, argv)


def body(run: Stage, args: Args) -> None:
    """Train on the train split, measure the loss on the eval split."""
    params = parameters.load(args.params)
    launching.together(run, params.sft.launch)
    table = io.read(args.table, schema.SFT_MIX)
    train = table.filter(pl.col("split") == "train")["messages"].to_list()
    held_out = table.filter(pl.col("split") == "eval")["messages"].to_list()
    from training.core import environment

    environment.prepare()
    from training.trainers import sft

    chosen = settings.sft(params)
    card = {"kind": "policy", "name": "sft"}
    work = run.kept_until_done("training")
    metrics = sft.train(args.base, train, chosen, out=args.checkpoint, card=card, work=work)
    if not launching.first():
        return
    metrics |= sft.held_out(args.checkpoint, held_out, chosen)
    if args.policies is not None:
        policies.write(run, args.policies, "sft", args.checkpoint)
    run.outputs.json(args.metrics, {"rows_in": table.height, **metrics})
    run.summary.rows_in = len(train)
    run.summary.kept = metrics["examples"]
    run.summary.rejected = metrics["too_long"]
    run.summary.tokens = round(metrics["tokens"] * chosen.epochs)
    run.summary.note = f"{metrics['steps']} steps, loss {metrics['loss']:.4f}"


if __name__ == "__main__":
    sys.exit(main())
