"""Sample n responses to every prompt of one iteration's slice of the pool.

Run: python -m pipelines.stages.generate --iteration iter1 --policy data/checkpoints/sft
--prompts data/prompts/prompts.parquet [--policies data/iterations/sft/policies.json]
--table data/iterations/iter1/generations.parquet
--rejects data/iterations/iter1/generate_rejects.parquet
--metrics data/iterations/iter1/generate.json
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from curation.core import ids, schema
from curation.core.errors import UserError
from pipelines.core import io, stage
from pipelines.core import params as parameters
from pipelines.core.arguments import Arguments, foreach, reads, writes
from pipelines.core.params import Params
from pipelines.core.params.loop import Iteration
from pipelines.core.stage import Stage
from pipelines.shared import orders, policies, sampling, settings


class Args(Arguments):
    """What the stage reads, writes and is told."""

    policy: Path = reads()
    prompts: Path = reads()
    policies: Path | None = reads(default=None)
    table: Path = writes()
    rejects: Path = writes()
    metrics: Path = writes()
    iteration: str = foreach()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; returns the exit code."""
    return stage.run("generate", Args, body, argv)


def body(run: Stage, args: Args) -> None:
    """Choose the prompts, sample, and account for every one of them."""
    params = parameters.load(args.params)
    iteration = _iteration(params, args)
    prompts = _slice(io.read(args.prompts, schema.PROMPTS), iteration, params, args)
    order = orders.Order(
        stage=f"generate@{args.iteration}",
        turns=tuple(_turns(iteration, args)),
        temperatures=tuple(iteration.temperatures),
        max_new_tokens=iteration.max_new_tokens,
        seed=params.seeds.sampling,
        recipe=args.params,
        pool=args.prompts,
        stop=tuple(iteration.stop),
        sampling=settings.sampling(iteration),
    )
    engine, shard = settings.engine(params), params.engine.shard_prompts
    done = sampling.sample(run, order, prompts, engine, shard)
    run.outputs.table(args.table, schema.GENERATIONS, done.generations)
    run.outputs.table(args.rejects, schema.REJECTS, done.rejects)
    run.outputs.json(args.metrics, done.metrics())
    run.summary.rows_in, run.summary.rejected = prompts.height, done.lost
    run.summary.kept = prompts.height - done.lost
    run.summary.tokens = int(done.generations["n_tokens"].sum())
    run.summary.note = f"{done.generations.height} of {done.draws} responses"


def _turns(iteration: Iteration, args: Args) -> Iterator[orders.Turn]:
    """The iteration's policy, then the further ones, whose samples are numbered after its own."""
    yield orders.Turn(iteration.policy, args.policy, iteration.n)
    first = iteration.n
    for name, n in iteration.also.items():
        path = policies.find(args.policies, name, f"iterations.{args.iteration}.also")
        yield orders.Turn(name, path, n, first)
        first += n


def _iteration(params: Params, args: Args) -> Iteration:
    if args.iteration not in params.iterations:
        raise UserError(
            f"{args.params}: iterations: none is named {args.iteration}; "
            f"known: {', '.join(params.iterations)}"
        )
    return params.iterations[args.iteration]


def _slice(pool: pl.DataFrame, iteration: Iteration, params: Params, args: Args) -> pl.DataFrame:
    """The training prompts whose bucket is in the range; a limit keeps the lowest by hash."""
    low, high = iteration.prompts
    inside = pool.filter(pl.col("bucket").is_between(low, high, "left"), pl.col("split") == "train")
    if iteration.limit is not None:
        key = ids.unit(pl.col("prompt_id"), params.seeds.sampling, "iteration")
        inside = inside.sort(key, "prompt_id").head(iteration.limit)
    if inside.is_empty():
        raise UserError(
            f"{args.prompts}: no training prompt has a bucket in {low}..{high} "
            f"(iterations.{args.iteration}.prompts); widen the range or add prompts"
        )
    return inside.sort("prompt_id")


if __name__ == "__main__":
    sys.exit(main())
