"""Judge every sampled response of one iteration.

Run: python -m pipelines.stages.score --iteration iter1 --judge data/checkpoints/reward_models/mix2
--generations data/iterations/iter1/generations.parquet --prompts data/prompts/prompts.parquet
--table data/iterations/iter1/scores.parquet --metrics data/iterations/iter1/score.json
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
from pipelines.shared import judging, panel, settings


class Args(Arguments):
    """What the stage reads, writes and is told."""

    judge: Path = reads()
    generations: Path = reads()
    prompts: Path = reads()
    table: Path = writes()
    metrics: Path = writes()
    iteration: str = foreach()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; returns the exit code."""
    return stage.run("score", Args, body, argv)


def body(run: Stage, args: Args) -> None:
    """Score all responses; a judgement that fails is a null reward with its reason."""
    params = parameters.load(args.params)
    generations = io.read(args.generations, schema.GENERATIONS)
    prompts = io.read(args.prompts, schema.PROMPTS)
    answers = judging.with_prompts(generations, prompts, args.generations)
    several = panel.is_panel(args.judge)
    if several:
        scores = panel.score(run, args.judge, answers, params)
    else:
        engine, shard = settings.engine(params), params.engine.shard_prompts
        scores = judging.score(run, args.judge, answers, engine, shard)
    rows = run.outputs.table(args.table, schema.SCORES, scores)
    run.outputs.json(args.metrics, _metrics(scores, generations, several))
    run.summary.rows_in = rows
    run.summary.rejected = int(scores["reward"].null_count())
    run.summary.tokens = judging.tokens(answers)
    run.summary.kept = rows - run.summary.rejected


def _metrics(scores: pl.DataFrame, generations: pl.DataFrame, several: bool) -> dict[str, Any]:
    """The figures of the one judge, or of each judge of a panel under its name."""
    if not several:
        return judging.metrics(scores, generations)
    parts = scores.partition_by("judge", maintain_order=True)
    return {str(part["judge"][0]): judging.metrics(part, generations) for part in parts}


if __name__ == "__main__":
    sys.exit(main())
