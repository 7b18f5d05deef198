"""Bradley-Terry training: batches of like lengths, and what a grouped run learns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.models import comparisons, user
from training.core.settings import RewardModel
from training.engines.settings import Engine
from training.judges.reward_model import RewardModelJudge
from training.trainers import arguments, reward_model

SETTINGS = RewardModel(
    epochs=1, learning_rate=3e-3, global_batch=8, per_device_batch=8, max_length=128, seed=5
)


def batches(base: Path, tokenizer: Any, rows: list[dict[str, Any]], work: Path, on: bool) -> Any:
    """The padded batches of the first epoch."""
    common = arguments.common(
        replace(SETTINGS, group_by_length=on), {"output_dir": str(work), "save_strategy": "no"}
    )
    model = reward_model.with_head(base, tokenizer, SETTINGS)
    settings = replace(SETTINGS, group_by_length=on)
    trainer = reward_model._trainer(common, model, tokenizer, rows, settings)
    return [batch["attention_mask"] for batch in trainer.get_train_dataloader()]


def test_grouped_batches_hold_every_pair_once_and_less_padding(
    base: Path, tokenizer: Any, tmp_path: Path
) -> None:
    sides = [list(range(10, 10 + 3 + (k * 37) % 90)) for k in range(320)]
    rows = [{"chosen_ids": side, "rejected_ids": side[:3]} for side in sides]
    tokens = sum(len(side) + 3 for side in sides)
    padding = {}
    for on in (False, True):
        masks = batches(base, tokenizer, rows, tmp_path, on)
        assert sum(int(mask.sum()) for mask in masks) == tokens
        assert sum(len(mask) for mask in masks) == 2 * len(rows)
        padding[on] = sum(mask.numel() for mask in masks) - tokens
    chosen_alone = sum(len(side) - 3 for side in sides)  # what no grouping of pairs can save
    assert padding[True] - chosen_alone < (padding[False] - chosen_alone) / 3


@pytest.mark.parametrize("margin", [False, True])
def test_a_grouped_run_learns_and_repeats_its_bytes(
    base: Path, tmp_path: Path, margin: bool
) -> None:
    settings = replace(SETTINGS, group_by_length=True, use_margin=margin, epochs=2)
    rows = comparisons(64)
    for name in ("one", "two"):
        metrics = reward_model.train("reward_model/g", base, rows, settings, out=tmp_path / name)
        assert metrics["pairs"] == 64
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("one", "two")]
    assert weights[0] == weights[1]
    judge = RewardModelJudge(tmp_path / "one", Engine())
    good, bad = judge.judge([(user("question 901?"), "woof 3"), (user("question 901?"), "moo 3")])
    assert good.reward is not None
    assert bad.reward is not None
    assert good.reward > bad.reward
