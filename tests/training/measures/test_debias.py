"""Debiased rewards: the residual, its judge."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from curation.core import schema
from curation.core.errors import UserError
from pipelines.commands import debias as command
from tests.models import user
from training.engines.settings import Engine
from training.judges.reward_model import RewardModelJudge
from training.measures import debias, length_bias


def world(
    slope: float, seed: int, prompts: int = 1600, n: int = 8
) -> tuple[list[float], list[int], list[str]]:
    """Rewards of quality and a taste for length; quality and length are independent."""
    generator = np.random.default_rng(seed)
    chars = generator.integers(10, 300, prompts * n)
    quality = np.repeat(generator.normal(0, 3, prompts), n) + generator.normal(0, 1, prompts * n)
    names = np.repeat([f"p{k}" for k in range(prompts)], n)
    return (quality + slope * chars).tolist(), chars.tolist(), names.tolist()


@pytest.mark.parametrize("slope", [-0.01, 0.0, 0.003, 0.02])
def test_a_planted_slope_is_found_and_gone_on_other_rows(slope: float) -> None:
    found = debias.fit(*world(slope, 1))
    assert found == pytest.approx(slope, abs=5e-4)
    rewards, chars, prompts = world(slope, 2)
    left = debias.residual(rewards, chars, found).tolist()
    assert abs(length_bias.study(left, chars, prompts, 1)["pearson"]["mean"]) < 0.03


def test_on_its_own_rows_the_mean_correlation_is_zero() -> None:
    rewards, chars, prompts = world(0.01, 1)
    left = debias.residual(rewards, chars, debias.fit(rewards, chars, prompts)).tolist()
    assert abs(length_bias.study(left, chars, prompts, 1)["pearson"]["mean"]) < 1e-6


def test_without_variation_there_is_nothing_to_fit() -> None:
    with pytest.raises(UserError, match="different lengths"):
        debias.fit([1.0, 2.0], [5, 5], ["a", "a"])


def test_the_debiased_judge_takes_the_slope_off(reward_model: Path, tmp_path: Path) -> None:
    name = debias.save(reward_model, 0.25, {"prompts": 3}, tmp_path / "debiased")
    before = RewardModelJudge(reward_model, Engine())
    after = RewardModelJudge(tmp_path / "debiased", Engine())
    assert after.name == name == "reward_model/test-debiased"
    assert after.sha != before.sha
    items = [(user("question?"), text) for text in ("woof", "woof woof woof")]
    for raw, less, (_, text) in zip(before.judge(items), after.judge(items), items, strict=True):
        assert raw.reward is not None
        assert less.reward == pytest.approx(raw.reward - 0.25 * len(text), abs=1e-6)


def test_the_command_measures_before_and_after(
    reward_model: Path, tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(root / "recipes/sample.yaml", "params.yaml")
    generations, prompts = _responses(30, 4)
    generations.write_parquet("generations.parquet")
    prompts.write_parquet("prompts.parquet")
    flags = ["--reward-model", str(reward_model), "--generations", "generations.parquet"]
    more = ["--prompts", "prompts.parquet", "--checkpoint", "out", "--metrics", "out.json"]
    assert command.main([*flags, *more]) == 0
    found = json.loads(Path("out.json").read_text("utf-8"))
    assert found["before"]["prompts"] == found["after"]["prompts"] == 30
    assert abs(found["after"]["pearson"]["mean"]) < abs(found["before"]["pearson"]["mean"])
    assert RewardModelJudge(Path("out"), Engine()).name == found["judge"]


def _responses(count: int, n: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    texts = {
        (p, k): f"woof {'x' * (3 * ((p + k) % 5) + k)}" for p in range(count) for k in range(n)
    }
    generations = [
        {
            "generation_id": f"g{p:03}{k}", "prompt_id": f"p{p:03}", "sample": k, "response": text,
            "token_ids": [1], "n_tokens": 1, "n_chars": len(text), "finish_reason": "stop",
            "policy": "sft", "policy_sha": "s", "engine": "e", "engine_version": "1",
        }
        for (p, k), text in texts.items()
    ]  # fmt: skip
    prompts = [
        {
            "prompt_id": f"p{p:03}", "source": "s", "source_row": "r", "messages": user(f"ask {p}"),
            "n_chars": 5, "license": "MIT", "bucket": 0.1, "split": "train", "map_x": 0.0,
            "map_y": 0.0, "cluster": 0,
        }
        for p in range(count)
    ]  # fmt: skip
    return (
        pl.DataFrame(generations, schema=schema.GENERATIONS.polars),
        pl.DataFrame(prompts, schema=schema.PROMPTS.polars),
    )
