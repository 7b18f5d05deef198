"""Evaluate one policy on the held-out prompts: oracle, held-out reward model, length, KL.

Run: python -m pipelines.stages.evaluate --policy-name iter1 --policy data/checkpoints/iter1
--sft data/checkpoints/sft --reward-model data/checkpoints/reward_models/mix1
--prompts data/prompts/prompts.parquet --oracle data/sample/world.py
--generations data/evaluation/iter1/generations.parquet
--rejects data/evaluation/iter1/rejects.parquet
--scores data/evaluation/iter1/scores.parquet --parts data/evaluation/iter1/parts.parquet
--metrics data/evaluation/iter1/metrics.json
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from curation.core import ids, schema
from curation.core.errors import UserError
from pipelines.core import io, stage
from pipelines.core import params as parameters
from pipelines.core.arguments import Arguments, foreach, reads, writes
from pipelines.core.params import Params
from pipelines.core.params.loop import Engine
from pipelines.core.stage import Stage
from pipelines.shared import judging, orders, panel, sampling, settings, truths

if TYPE_CHECKING:
    from training.measures.kl import Ratios


class Args(Arguments):
    """What the stage reads, writes and is told."""

    policy: Path = reads()
    sft: Path = reads()
    reward_model: Path = reads()
    prompts: Path = reads()
    oracle: Path = reads()
    generations: Path = writes()
    rejects: Path = writes()
    scores: Path = writes()
    parts: Path = writes()
    metrics: Path = writes()
    policy_name: str = foreach()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; returns the exit code."""
    return stage.run("evaluate", Args, body, argv)


def body(run: Stage, args: Args) -> None:
    """Sample the held-out prompts, judge the responses, write means with standard errors."""
    params = parameters.load(args.params)
    prompts = _held_out(io.read(args.prompts, schema.PROMPTS), params, args)
    section = params.evaluation
    order = orders.Order(
        stage=f"evaluate@{args.policy_name}",
        turns=(orders.Turn(args.policy_name, args.policy, section.n),),
        temperatures=(section.temperature,),
        max_new_tokens=section.max_new_tokens,
        seed=params.seeds.evaluation,
        recipe=args.params,
        pool=args.prompts,
        sampling=settings.sampling(section),
    )
    engine, shard = settings.engine(params), params.engine.shard_prompts
    done = sampling.sample(run, order, prompts, engine, shard)
    answers = judging.with_prompts(done.generations, prompts, args.prompts)
    if panel.is_panel(args.reward_model):
        learned = panel.score(run, args.reward_model, answers, params)
    else:
        learned = judging.score(run, args.reward_model, answers, engine, shard)
    truth = _oracle(args, params, answers)
    scores = pl.concat([learned, truth.scores])
    run.outputs.table(args.generations, schema.GENERATIONS, done.generations)
    run.outputs.table(args.rejects, schema.REJECTS, done.rejects)
    run.outputs.table(args.scores, schema.SCORES, scores)
    run.outputs.table(args.parts, schema.PARTS, truth.parts)
    metrics = {
        "policy": args.policy_name,
        "rules": dict(done.rejects["rule"].value_counts().iter_rows()),
        **done.metrics(),
        **_figures(args, answers, scores, params),
    }
    run.outputs.json(args.metrics, metrics)
    run.summary.rows_in, run.summary.rejected = prompts.height, done.lost
    run.summary.kept = prompts.height - done.lost
    run.summary.tokens = int(done.generations["n_tokens"].sum())
    shown = "oracle" if "oracle" in metrics else "reward_model"
    run.summary.note = f"{shown} {metrics[shown]['mean']:.4f} +- {metrics[shown]['se']:.4f}"


def _held_out(pool: pl.DataFrame, params: Params, args: Args) -> pl.DataFrame:
    """The evaluation prompts with the lowest hashes."""
    key = ids.unit(pl.col("prompt_id"), params.seeds.evaluation, "evaluation")
    asked = pl.col("split") == "eval"
    if params.evaluation.sources:
        asked &= pl.col("source").is_in(params.evaluation.sources)
    chosen = pool.filter(asked).sort(key, "prompt_id")
    if chosen.is_empty():
        raise UserError(f"{args.prompts}: no prompt has split eval; widen prompts.eval_range")
    return chosen.head(params.evaluation.prompts)


def _oracle(args: Args, params: Params, answers: pl.DataFrame) -> truths.Judged:
    """The oracle's scores and parts; none where the recipe names no function."""
    from training.judges.oracle import Oracle

    function = params.evaluation.oracle.function
    if function is None:  # real sets have no truth to ask
        return truths.Judged(schema.SCORES.empty(), schema.PARTS.empty())
    return truths.judged(Oracle(args.oracle, function), answers)


def _figures(
    args: Args, answers: pl.DataFrame, scores: pl.DataFrame, params: Params
) -> dict[str, Any]:
    """Means over prompts with standard errors."""
    from training.core import statistics

    prompts = answers["prompt_id"].to_list()
    ratios = _log_ratios(args, answers, params.engine)
    measured: dict[str, Any] = {
        "chars": answers["n_chars"].to_numpy().astype(float),
        "tokens": answers["n_tokens"].to_numpy().astype(float),
        "truncated": (answers["finish_reason"] == "length").to_numpy().astype(float),
        "distinct_1": statistics.distinct(answers["response"].to_list(), 1),
        "distinct_2": statistics.distinct(answers["response"].to_list(), 2),
        "kl": ratios.tempered,
    }
    figures: dict[str, Any] = {
        name: statistics.mean_se(values, prompts) for name, values in measured.items()
    }
    return figures | _judged(answers.with_columns(log_ratio=pl.Series(ratios.plain)), scores)


def _judged(answers: pl.DataFrame, scores: pl.DataFrame) -> dict[str, Any]:
    """Mean reward by judge, and how often DPO's implicit reward orders two answers as it does."""
    from training.core import statistics

    result: dict[str, Any] = {}
    for part in scores.partition_by("judge", maintain_order=True):
        judge = str(part["judge"][0])
        name = "oracle" if judge == "oracle" else "reward_model"
        rated = answers.join(part, on="generation_id").drop_nulls("reward")
        if rated.is_empty():
            reason = str(part["reason"].drop_nulls()[0])
            raise UserError(f"{judge}: gave no reward to any response ({reason})")
        rewards, prompts = rated["reward"].to_numpy(), rated["prompt_id"].to_list()
        implicit = rated["log_ratio"].to_numpy()  # the implicit reward over beta
        result[name] = statistics.mean_se(rewards, prompts) | {
            "judge": judge,
            "nulls": part["reward"].null_count(),
            "implicit_reward": statistics.order_agreement(implicit, rewards, prompts),
        }
    return result


def _log_ratios(args: Args, answers: pl.DataFrame, engine: Engine) -> Ratios:
    """log pi - log pi0 of every sampled response, also at the temperature that drew it."""
    from training.core import checkpoint
    from training.core.chat_template import ChatTemplate
    from training.measures import kl

    template = ChatTemplate(checkpoint.load_tokenizer(args.policy))
    prompts = template.encode_many(answers["messages"].to_list(), add_generation_prompt=True)
    items = list(zip(prompts, answers["token_ids"].to_list(), strict=True))
    temperatures = answers["temperature"].fill_null(1.0).to_list()
    half = engine.dtype != "float32"
    return kl.log_ratios(args.policy, args.sft, items, temperatures, engine.batch_tokens, bf16=half)


if __name__ == "__main__":
    sys.exit(main())
