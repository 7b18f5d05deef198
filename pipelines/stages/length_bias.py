"""The length bias of one mix's reward model on one iteration's responses.

Run: python -m pipelines.stages.length_bias --mix mix1
--reward-model data/checkpoints/reward_models/mix1
--generations data/iterations/iter1/generations.parquet --prompts data/prompts/prompts.parquet
--scores data/length_bias/mix1/scores.parquet --metrics data/length_bias/mix1/metrics.json
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from curation.core import ids, schema
from curation.core.errors import UserError
from pipelines.core import io, stage
from pipelines.core import params as parameters
from pipelines.core.arguments import Arguments, foreach, reads, writes
from pipelines.core.stage import Stage
from pipelines.shared import judging, settings


class Args(Arguments):
    """What the stage reads, writes and is told."""

    reward_model: Path = reads()
    generations: Path = reads()
    prompts: Path = reads()
    scores: Path = writes()
    metrics: Path = writes()
    mix: str = foreach()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; returns the exit code."""
    return stage.run("length_bias", Args, body, argv)


def body(run: Stage, args: Args) -> None:
    """Score the first N prompts' responses and relate reward to length."""
    params = parameters.load(args.params)
    generations = io.read(args.generations, schema.GENERATIONS)
    prompts = io.read(args.prompts, schema.PROMPTS)
    seed = params.seeds.evaluation
    key = ids.unit(pl.col("prompt_id"), seed, "length_bias")
    named = generations.select("prompt_id").unique().sort(key, "prompt_id")
    chosen = named.head(params.length_bias.prompts)
    answers = judging.with_prompts(
        generations.join(chosen, on="prompt_id", how="semi"), prompts, args.generations
    )
    scores = judging.score(
        run, args.reward_model, answers, settings.engine(params), params.engine.shard_prompts
    )
    rated = answers.join(scores, on="generation_id").drop_nulls("reward").sort("generation_id")
    if rated.is_empty():
        raise UserError(f"{args.reward_model}: gave no finite reward to any response")
    from training.measures import length_bias

    figures = length_bias.study(
        rated["reward"].to_list(), rated["n_chars"].to_list(), rated["prompt_id"].to_list(), seed
    )
    run.outputs.table(args.scores, schema.SCORES, scores)
    run.outputs.json(args.metrics, {"mix": args.mix, **figures})
    run.summary.rows_in, run.summary.kept = answers.height, rated.height
    run.summary.rejected = answers.height - rated.height
    run.summary.tokens = judging.tokens(answers)
    mean = figures["pearson"]["mean"]
    run.summary.note = "no variation" if mean is None else f"mean within-prompt Pearson {mean:.4f}"


if __name__ == "__main__":
    sys.exit(main())
