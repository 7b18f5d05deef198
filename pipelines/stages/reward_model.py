"""A Bradley-Terry reward model of one preference mix.

Run: python -m pipelines.stages.reward_model --mix mix1 --init data/checkpoints/sft
--table data/mixes/mix1/mix.parquet --checkpoint data/checkpoints/reward_models/mix1
--metrics data/checkpoints/reward_models/mix1.json
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
from pipelines.core.arguments import Arguments, foreach, reads, writes
from pipelines.core.stage import Stage
from pipelines.shared import comparisons, launching, settings

_SAMPLE = 32  # held-out pairs that are also scored by plain transformers


class Args(Arguments):
    """What the stage reads, writes and is told."""

    init: Path = reads()
    table: Path = reads()
    checkpoint: Path = writes()
    metrics: Path = writes()
    mix: str = foreach()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; returns the exit code."""
    return stage.run("reward_model", Args, body, argv)


def body(run: Stage, args: Args) -> None:
    """Train on the train split, measure accuracy on the eval split."""
    params = parameters.load(args.params)
    launching.together(run, params.reward_model.launch)
    table = io.read(args.table, schema.MIXES)
    train = comparisons.of(table.filter(pl.col("split") == "train"))
    held_out = table.filter(pl.col("split") == "eval")
    from training.core import environment

    environment.prepare()
    from training.trainers import reward_model

    chosen = settings.reward_model(params)
    name = f"reward_model/{args.mix}"
    metrics = reward_model.train(
        name,
        args.init,
        train,
        chosen,
        out=args.checkpoint,
        work=run.kept_until_done("training"),
    )
    if not launching.first():
        return
    accuracy = _accuracy(args, held_out, chosen.batch_tokens)
    run.outputs.json(args.metrics, {"rows_in": table.height, **metrics, **accuracy})
    run.summary.rows_in = len(train)
    run.summary.kept, run.summary.rejected = metrics["pairs"], metrics["too_long"]
    passes = 1 if chosen.train == "head" else chosen.epochs
    run.summary.tokens = round(metrics["tokens"] * passes)
    run.summary.note = f"held-out accuracy {accuracy.get('accuracy') or float('nan'):.4f}"


def _accuracy(args: Args, held_out: pl.DataFrame, batch_tokens: int) -> dict[str, Any]:
    """Share of held-out pairs whose chosen response scores higher; a tie counts half.

    The judge is the one that will score with the checkpoint. A sample of its rewards is held to a
    plain forward pass, and a pair that goes past its context is counted and in no figure.
    """
    from training.engines.settings import Engine
    from training.judges.reward_model import RewardModelJudge
    from training.trainers import replay

    if held_out.is_empty():
        return {}
    judge = RewardModelJudge(args.checkpoint, Engine(batch_tokens=batch_tokens))
    held_out = held_out.sort("pair_id")
    items = comparisons.of(held_out)
    chosen = judge.judge([(item.prompt, item.chosen) for item in items])
    rejected = judge.judge([(item.prompt, item.rejected) for item in items])
    sample = items[:_SAMPLE]
    replay.hold(judge, args.checkpoint, [(item.prompt, item.chosen) for item in sample])
    scored = held_out.select(
        "source",
        chosen=pl.Series([verdict.reward for verdict in chosen], dtype=pl.Float64),
        rejected=pl.Series([verdict.reward for verdict in rejected], dtype=pl.Float64),
    ).with_columns(
        right=(pl.col("chosen") > pl.col("rejected")).cast(pl.Float64)
        + 0.5 * (pl.col("chosen") == pl.col("rejected")).cast(pl.Float64)
    )
    return _figures(scored.drop_nulls("right"), scored.height)


def _figures(scored: pl.DataFrame, asked: int) -> dict[str, Any]:
    by_source = scored.group_by("source").agg(pl.col("right").mean(), pl.len()).sort("source")
    return {
        "eval_pairs": scored.height,
        "eval_without_reward": asked - scored.height,
        "accuracy": scored["right"].mean(),
        "accuracy_by_source": dict(by_source.select("source", "right").iter_rows()),
        "pairs_by_source": dict(by_source.select("source", "len").iter_rows()),
        "mean_margin": (scored["chosen"] - scored["rejected"]).mean(),
    }


if __name__ == "__main__":
    sys.exit(main())
