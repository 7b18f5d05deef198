"""Supervised fine-tuning: base model + SFT mix -> pi0, the start and the reference of the loop.

With `sft: null` pi0 is the base model itself: its checkpoint is the base's files, linked.

Run: python -m pipelines.stages.sft --base data/checkpoints/base
--table data/sft_mix/sft_mix.parquet
--checkpoint data/checkpoints/sft --metrics data/checkpoints/sft.json
[--policies data/iterations/sft/policies.json]
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from curation.core import schema
from pipelines.core import io, stage
from pipelines.core import params as parameters
from pipelines.core.arguments import Arguments, reads, writes
from pipelines.core.params import Params
from pipelines.core.stage import Stage
from pipelines.shared import launching, policies, settings

CARD = {"kind": "policy", "name": "sft"}


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
    if params.sft is not None:
        launching.together(run, params.sft.launch)
    trained = _linked(run, args) if params.sft is None else _trained(run, args, params)
    if trained is None:
        return
    if args.policies is not None:
        policies.write(run, args.policies, "sft", args.checkpoint)
    run.outputs.json(args.metrics, trained)


def _linked(run: Stage, args: Args) -> dict[str, Any]:
    from training.core import checkpoint

    sha = checkpoint.link(args.base, args.checkpoint, CARD)
    run.summary.note = f"the base model, weights {sha}"
    return {"rows_in": 0, "examples": 0, "steps": 0, "tokens": 0, "too_long": 0, "loss": None}


def _trained(run: Stage, args: Args, params: Params) -> dict[str, Any] | None:
    """Metrics of the training; None in all processes but the first."""
    table = io.read(args.table, schema.SFT_MIX)
    train = table.filter(pl.col("split") == "train")["messages"].to_list()
    held_out = table.filter(pl.col("split") == "eval")["messages"].to_list()
    from training.core import environment

    environment.prepare()
    from training.trainers import sft

    chosen = settings.sft(params)
    work = run.kept_until_done("training")
    metrics = sft.train(args.base, train, chosen, out=args.checkpoint, card=CARD, work=work)
    if not launching.first():
        return None
    metrics |= sft.held_out(args.checkpoint, held_out, chosen)
    run.summary.rows_in = len(train)
    run.summary.kept = metrics["examples"]
    run.summary.rejected = metrics["too_long"]
    run.summary.tokens = round(metrics["tokens"] * chosen.epochs)
    run.summary.note = f"{metrics['steps']} steps, loss {metrics['loss']:.4f}"
    return {"rows_in": table.height, **metrics}


if __name__ == "__main__":
    sys.exit(main())
