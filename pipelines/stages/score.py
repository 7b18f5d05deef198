"""Judge every sampled response of one iteration.

Run: python -m pipelines.stages.score --iteration iter1 --judge data/checkpoints/reward_models/mix2
--generations data/iterations/iter1/generations.parquet --prompts data/prompts/prompts.parquet
--table data/iterations/iter1/scores.parquet --metrics data/iterations/iter1/score.json
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import polars as pl

from curation.core import schema
from pipelines.core import io, stage
from pipelines.core import params as parameters
from pipelines.core.stage import Stage
from pipelines.shared import judging, panel, settings


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; returns the exit code."""
    parser = stage.parser(
        __doc__, inputs=["judge", "generations", "prompts"], outputs=["table", "metrics"]
    )
    parser.add_argument("--iteration", required=True)
    return stage.run("score", parser, body, argv)


def body(run: Stage) -> None:
    """Score all responses; a judgement that fails is a null reward with its reason."""
    params = parameters.load(run.args.params)
    generations = io.read(run.args.generations, schema.GENERATIONS)
    prompts = io.read(run.args.prompts, schema.PROMPTS)
    answers = judging.with_prompts(generations, prompts, run.args.generations)
    several = panel.is_panel(run.args.judge)
    if several:
        scores = panel.score(run, run.args.judge, answers, params)
    else:
        engine, shard = settings.engine(params), params.engine.shard_prompts
        scores = judging.score(run, run.args.judge, answers, engine, shard)
    rows = run.outputs.table(run.args.table, schema.SCORES, scores)
    run.outputs.json(run.args.metrics, _metrics(scores, generations, several))
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
