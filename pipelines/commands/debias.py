"""prefloop debias: take length out of a reward model.

The slope is fitted within prompts and cross-validated.

Run: prefloop debias --reward-model data/checkpoints/reward_models/mix2
--generations data/iterations/iter1/generations.parquet --prompts data/prompts/prompts.parquet
--table data/mixes/mix2/mix.parquet --checkpoint data/checkpoints/reward_models/mix2-debiased
--metrics data/checkpoints/reward_models/mix2-debiased.json

The responses must be to prompts that the reward model was not trained on, several to a prompt
(those of any iteration are). The figures after debiasing are cross-fitted: each fifth of the
prompts is measured with the slope of the other four; the checkpoint has that of all. With --table
the accuracy on the mix's held-out pairs is measured before and after. The new checkpoint is a judge
like any other.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from curation.core import ids, schema
from curation.core.errors import UserError
from pipelines.core import io, stage
from pipelines.core import params as parameters
from pipelines.core.arguments import Arguments, reads, writes
from pipelines.core.params import Params
from pipelines.core.stage import Stage
from pipelines.shared import comparisons, judging, settings

TASK = "measure judges and policies"

FOLDS = 5


class Args(Arguments):
    """What the command reads, writes and is told."""

    reward_model: Path = reads()
    generations: Path = reads()
    prompts: Path = reads()
    table: Path | None = reads(default=None)
    checkpoint: Path = writes()
    metrics: Path = writes()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return stage.run("debias", Args, body, argv)


def body(run: Stage, args: Args) -> None:
    """Score, fit, measure, save."""
    params = parameters.load(args.params)
    rated = _rated(run, args, params)
    from training.measures import debias, length_bias

    slope = debias.fit(*_columns(rated))
    seed = params.seeds.evaluation
    figures: dict[str, Any] = {
        "slope_per_100_chars": 100 * slope,
        "before": length_bias.study(*_columns(rated), seed),
        "after": length_bias.study(*_columns(_cross_fitted(args, rated, seed)), seed),
    }
    facts = {"prompts": rated["prompt_id"].n_unique(), "responses": rated.height}
    name = debias.save(args.reward_model, slope, facts, args.checkpoint)
    if args.table is not None:
        figures["accuracy"] = _accuracy(args, args.table, params)
    run.outputs.json(args.metrics, {"judge": name, **figures})
    run.summary.rows_in = run.summary.kept = rated.height
    after = figures["after"]["pearson"]["mean"]
    before = figures["before"]["pearson"]["mean"]
    run.summary.note = f"mean within-prompt Pearson {before:.4f}, after {after:.4f}"


def _rated(run: Stage, args: Args, params: Params) -> pl.DataFrame:
    generations = io.read(args.generations, schema.GENERATIONS)
    prompts = io.read(args.prompts, schema.PROMPTS)
    answers = judging.with_prompts(generations, prompts, args.generations)
    engine, shard = settings.engine(params), params.engine.shard_prompts
    scores = judging.score(run, args.reward_model, answers, engine, shard)
    rated = answers.join(scores, on="generation_id").drop_nulls("reward").sort("generation_id")
    if rated.is_empty():
        raise UserError(f"{args.reward_model}: gave no finite reward to any response")
    return rated


def _columns(rated: pl.DataFrame) -> tuple[list[float], list[int], list[str]]:
    return rated["reward"].to_list(), rated["n_chars"].to_list(), rated["prompt_id"].to_list()


def _cross_fitted(args: Args, rated: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Rewards less length, each fold of prompts by the slope of the others."""
    from training.measures import debias

    fold = (ids.unit(pl.col("prompt_id"), seed, "debias") * FOLDS).cast(pl.Int64)
    parts = []
    for number in range(FOLDS):
        others, own = rated.filter(fold != number), rated.filter(fold == number)
        if others.is_empty():
            raise UserError(f"{args.generations}: too few prompts to cross-fit on")
        rewards, chars, _ = _columns(own)
        less = debias.residual(rewards, chars, debias.fit(*_columns(others)))
        parts.append(own.with_columns(reward=pl.Series(less, dtype=pl.Float64)))
    return pl.concat(parts).sort("generation_id")


def _accuracy(args: Args, pairs: Path, params: Params) -> dict[str, Any]:
    """Accuracy of both judges on the table's held-out pairs, with intervals over prompts."""
    from training.judges import pairwise
    from training.measures import judge_quality

    table = io.read(pairs, schema.MIXES).filter(pl.col("split") == "eval")
    if table.is_empty():
        raise UserError(f"{pairs}: no pair has split eval; raise the mix's eval_share")
    asked = [(item.prompt, item.chosen, item.rejected) for item in comparisons.of(table)]
    prompts = table.sort("pair_id")["prompt_id"].to_list()
    engine = settings.engine(params)
    found = {}
    for when, path in (("before", args.reward_model), ("after", args.checkpoint)):
        chance = pairwise.load(path, engine).ask(asked).first_wins
        found[when] = judge_quality.accuracy(judge_quality.verdicts(chance), prompts)
    return found


if __name__ == "__main__":
    sys.exit(main())
