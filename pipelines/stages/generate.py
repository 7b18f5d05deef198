"""Sample n responses to every prompt of one iteration's slice of the pool.

Run: python -m pipelines.stages.generate --iteration iter1 --policy data/checkpoints/sft
--prompts data/prompts/prompts.parquet --table data/iterations/iter1/generations.parquet
--rejects data/iterations/iter1/generate_rejects.parquet
--metrics data/iterations/iter1/generate.json
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import polars as pl

from curation.core import ids, schema
from curation.core.errors import UserError
from pipelines.core import io, stage
from pipelines.core import params as parameters
from pipelines.core.params import Params
from pipelines.core.params.loop import Iteration
from pipelines.core.stage import Stage
from pipelines.shared import sampling, settings


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; returns the exit code."""
    parser = stage.parser(
        __doc__, inputs=["policy", "prompts"], outputs=["table", "rejects", "metrics"]
    )
    parser.add_argument("--iteration", required=True)
    return stage.run("generate", parser, body, argv)


def body(run: Stage) -> None:
    """Choose the prompts, sample, and account for every one of them."""
    params = parameters.load(run.args.params)
    iteration = _iteration(params, run)
    prompts = _slice(io.read(run.args.prompts, schema.PROMPTS), iteration, params, run)
    order = sampling.Order(
        stage=f"generate@{run.args.iteration}",
        policy=iteration.policy,
        n=iteration.n,
        temperatures=tuple(iteration.temperatures),
        max_new_tokens=iteration.max_new_tokens,
        seed=params.seeds.sampling,
        stop=tuple(iteration.stop),
        also=tuple(iteration.also.items()),
    )
    engine, shard = settings.engine(params), params.engine.shard_prompts
    done = sampling.sample(run, order, prompts, engine, shard)
    run.outputs.table(run.args.table, schema.GENERATIONS, done.generations)
    run.outputs.table(run.args.rejects, schema.REJECTS, done.rejects)
    metrics = sampling.metrics(done.generations)
    rejected = done.rejects.height
    run.outputs.json(
        run.args.metrics,
        {"rows_in": prompts.height, "kept": prompts.height - rejected, "rejected": rejected}
        | metrics,
    )
    run.summary.rows_in, run.summary.rejected = prompts.height, rejected
    run.summary.kept = prompts.height - rejected
    run.summary.tokens = int(done.generations["n_tokens"].sum())
    run.summary.note = f"{done.generations.height} responses"


def _iteration(params: Params, run: Stage) -> Iteration:
    if run.args.iteration not in params.iterations:
        raise UserError(
            f"{run.args.params}: iterations: none is named {run.args.iteration}; "
            f"known: {', '.join(params.iterations)}"
        )
    return params.iterations[run.args.iteration]


def _slice(pool: pl.DataFrame, iteration: Iteration, params: Params, run: Stage) -> pl.DataFrame:
    """The training prompts whose bucket is in the range; a limit keeps the lowest by hash."""
    low, high = iteration.prompts
    inside = pool.filter(pl.col("bucket").is_between(low, high, "left"), pl.col("split") == "train")
    if iteration.limit is not None:
        key = ids.unit(pl.col("prompt_id"), params.seeds.sampling, "iteration")
        inside = inside.sort(key, "prompt_id").head(iteration.limit)
    if inside.is_empty():
        raise UserError(
            f"{run.args.prompts}: no training prompt has a bucket in {low}..{high} "
            f"(iterations.{run.args.iteration}.prompts); widen the range or add prompts"
        )
    return inside.sort("prompt_id")


if __name__ == "__main__":
    sys.exit(main())
