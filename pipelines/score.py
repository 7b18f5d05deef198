"""Judge every sampled response of one iteration.

Run: python -m pipelines.score --iteration iter1 --judge data/checkpoints/reward_models/mix2
--generations data/iterations/iter1/generations.parquet --prompts data/prompts/prompts.parquet
--table data/iterations/iter1/scores.parquet --metrics data/iterations/iter1/score.json
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from curation import schema
from pipelines import io, judging, settings, stage
from pipelines import params as parameters
from pipelines.stage import Stage


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
    scores = judging.score(
        run, run.args.judge, answers, settings.engine(params), params.engine.shard_prompts
    )
    rows = run.outputs.table(run.args.table, schema.SCORES, scores)
    run.outputs.json(run.args.metrics, judging.metrics(scores, generations))
    run.summary.rows_in = generations.height
    run.summary.kept = rows - int(scores["reward"].null_count())
    run.summary.rejected = int(scores["reward"].null_count())


if __name__ == "__main__":
    sys.exit(main())
