"""The models of one seed: pi0, its reward models, and responses of pi0 that all arms share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.claims_bench import steps
from benchmarks.claims_bench.steps import DATA, JUDGES, POOL, PROMPTS, SFT, call
from curation.core import schema
from data.sample import world
from pipelines.core import io
from pipelines.core.outputs import Outputs
from pipelines.shared import judging

SECOND = "plain_b"  # the plain mix again, another seed: the other judge of the panel


def build() -> None:
    """Train, sample, score."""
    given = steps.settings()
    call(
        "pipelines.stages.sft",
        base=DATA / "checkpoints/base",
        table=DATA / "sft_mix/sft_mix.parquet",
        checkpoint=SFT,
        metrics=DATA / "checkpoints/sft.json",
    )
    for mix in given["judges"]:
        _reward_model(mix, mix)
    other = {"seeds": {"reward_model": given["second_seed"]}}
    second = steps.recipe_with(other, DATA / "checkpoints/second.yaml")
    _reward_model(SECOND, given["judges"][0], second)
    samples(POOL, "iter1", SFT)
    for judge in [*given["judges"], SECOND]:
        score(judge, POOL, "iter1")
    _debias(given["debias"])
    _multi_head(given["judges"][0])
    _panel(given["judges"][0], SECOND)


def _reward_model(name: str, mix: str, params: Path = Path("params.yaml")) -> None:
    call(
        "pipelines.stages.reward_model",
        mix=name,
        init=SFT,
        table=DATA / "mixes" / mix / "mix.parquet",
        checkpoint=JUDGES / name,
        metrics=JUDGES / f"{name}.json",
        params=params,
    )


def samples(folder: Path, iteration: str, policy: Path, params: Path = Path("params.yaml")) -> None:
    """n responses of a policy to each prompt of an iteration's slice."""
    call(
        "pipelines.stages.generate",
        iteration=iteration,
        policy=policy,
        prompts=PROMPTS,
        table=folder / "generations.parquet",
        rejects=folder / "generate_rejects.parquet",
        metrics=folder / "generate.json",
        params=params,
    )


def score(judge: str, folder: Path, iteration: str) -> None:
    """Rewards of sampled responses by one reward model."""
    call(
        "pipelines.stages.score",
        iteration=iteration,
        judge=JUDGES / judge,
        generations=folder / "generations.parquet",
        prompts=PROMPTS,
        table=folder / f"scores_{judge}.parquet",
        metrics=folder / f"score_{judge}.json",
    )


def _debias(judge: str) -> None:
    """The slope is fitted on responses to prompts of the last slice, which no arm pairs."""
    fit = DATA / "debias"
    samples(fit, "fit", SFT)
    call(
        "pipelines.commands.debias",
        reward_model=JUDGES / judge,
        generations=fit / "generations.parquet",
        prompts=PROMPTS,
        table=DATA / "mixes" / judge / "mix.parquet",
        checkpoint=JUDGES / f"{judge}-debiased",
        metrics=JUDGES / f"{judge}-debiased.json",
    )
    score(f"{judge}-debiased", POOL, "iter1")


def _multi_head(judge: str) -> None:
    call(
        "pipelines.commands.multi_head",
        reward_model=JUDGES / judge,
        helpsteer=DATA / "sources/preference/helpsteer/native.parquet",
        ultrafeedback=DATA / "sources/preference/ultrafeedback/native.parquet",
        table=DATA / "mixes" / judge / "mix.parquet",
        checkpoint=JUDGES / "multi",
        metrics=JUDGES / "multi.json",
    )
    from training.judges.multi_head import MultiHeadJudge

    judged = MultiHeadJudge(JUDGES / "multi", 16384)
    answers = _answers()
    items = list(answers.select("messages", "response").iter_rows())
    names = answers["generation_id"].to_list()
    rows = judging.rows(judged, judged.template.sha, names, judged.judge(items))
    _write("multi", rows)


def _panel(*judges: str) -> None:
    tables = [io.read(POOL / f"scores_{judge}.parquet", schema.SCORES) for judge in judges]
    _write("panel", pl.concat(tables))


def _write(name: str, scores: pl.DataFrame) -> None:
    outputs = Outputs()
    outputs.table(POOL / f"scores_{name}.parquet", schema.SCORES, scores)
    outputs.commit()


def _answers() -> pl.DataFrame:
    generations = io.read(POOL / "generations.parquet", schema.GENERATIONS)
    return judging.with_prompts(generations, io.read(PROMPTS, schema.PROMPTS), POOL)


def tell() -> None:
    """Write data/models.json: what is known of pi0 and of every judge before DPO."""
    answers = _answers().with_columns(asked=pl.col("messages").list.last().struct.field("content"))
    rows = answers.select("asked", "response").iter_rows()
    told = answers.select("generation_id", "prompt_id", "n_chars").with_columns(
        oracle=pl.Series([world.reward(*row) for row in rows])
    )
    pi0 = steps.figures(DATA / "evaluation/sft/evaluation/metrics.json")
    found: dict[str, Any] = {
        "sft": {key: pi0[key]["mean"] for key in ("oracle", "chars", "kl")},
        "oracle_mean": told["oracle"].mean(),
        "oracle_best": told.group_by("prompt_id").agg(pl.col("oracle").max())["oracle"].mean(),
        "judges": {},
    }
    for path in sorted(POOL.glob("scores_*.parquet")):
        judge = path.stem.removeprefix("scores_")
        found["judges"][judge] = _judge(judge, told, io.read(path, schema.SCORES))
    steps.save(DATA / "models.json", found)


def _judge(judge: str, told: pl.DataFrame, scores: pl.DataFrame) -> dict[str, Any]:
    """Length bias within prompts, and the oracle's reward of the judge's best of n."""
    reward = scores.group_by("generation_id").agg(pl.col("reward").mean())
    rated = told.join(reward, on="generation_id").drop_nulls("reward")
    within = rated.group_by("prompt_id").agg(
        pearson=pl.corr("reward", "n_chars"),
        agreement=pl.corr("reward", "oracle"),
        best=pl.col("oracle").sort_by("reward", "generation_id").last(),
    )
    figures: dict[str, Any] = {
        "pearson": within["pearson"].fill_nan(None).mean(),
        "oracle_pearson": within["agreement"].fill_nan(None).mean(),
        "best_of_n": within["best"].mean(),
        "reward_std": rated["reward"].std(),
    }
    metrics = JUDGES / f"{judge}.json"
    if metrics.is_file():
        accuracy = steps.figures(metrics).get("accuracy")
        if isinstance(accuracy, dict):  # a debiased judge tells before and after
            accuracy = accuracy.get("after", accuracy)
            accuracy = accuracy["accuracy"]
        figures["accuracy"] = accuracy
    return figures
