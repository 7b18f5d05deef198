"""Adapters of every trainer end in a plain checkpoint, and what merging them changed is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from curation.core.errors import UserError
from tests.models import comparisons, user
from training.core import checkpoint, loading
from training.core.settings import Lora, RewardModel, Sft
from training.engines.settings import Engine
from training.judges.reward_model import RewardModelJudge
from training.trainers import lora, reward_model, sft

ADAPTERS = Lora(rank=4, alpha=8)
SFT = Sft(2, 1e-2, 4, 4, max_length=64, seed=2, lora=ADAPTERS)
REWARD = RewardModel(2, 1e-2, 8, 8, max_length=128, seed=5, lora=ADAPTERS)
CARD = {"kind": "policy", "name": "sft"}
DIALOGUES = [
    [*user(f"question {k}?"), {"role": "assistant", "content": f"woof {k % 3}"}] for k in range(24)
]


def moved(start: dict[str, Any], path: Path) -> dict[str, Any]:
    """What training has added to each tensor of the backbone that it has changed."""
    now = dict(loading._tensors(path))
    return {
        name: now[name] - tensor
        for name, tensor in start.items()
        if name in now and not torch.equal(now[name], tensor)
    }


def test_supervised_fine_tuning(base: Path, tmp_path: Path) -> None:
    done = sft.train(base, DIALOGUES, SFT, out=tmp_path / "sft", card=CARD)
    assert 0 <= done["merge_drift"] < 1e-3
    changed = moved(dict(loading._tensors(base)), tmp_path / "sft")
    assert len(changed) == 14  # seven linear maps in each of two layers
    for name, tensor in changed.items():
        assert torch.linalg.matrix_rank(tensor, rtol=1e-3) <= 4, name
    assert not list((tmp_path / "sft").glob("**/adapter*"))
    before, after = (
        sft.held_out(path, DIALOGUES[:6], SFT)["eval_loss"] for path in (base, tmp_path / "sft")
    )
    assert after < before - 0.5


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_reward_models(base: Path, tmp_path: Path, pooling: Any) -> None:
    settings = replace(REWARD, pooling=pooling)
    rows = comparisons(48)
    runs = [
        reward_model.train("reward_model/x", base, rows, settings, out=tmp_path / name)
        for name in ("one", "two")
    ]
    assert runs[0] == runs[1]
    assert 0 <= runs[0]["merge_drift"] < 1e-3
    assert len({checkpoint.weights_sha(tmp_path / name) for name in ("one", "two")}) == 1
    assert len(moved(dict(loading._tensors(base)), tmp_path / "one")) == 14
    judge = RewardModelJudge(tmp_path / "one", Engine())
    good, bad = judge.judge([(user("question 901?"), "woof 3"), (user("question 901?"), "moo 3")])
    assert good.reward > bad.reward  # type: ignore[operator]


def test_a_model_that_merging_changes_is_not_stored(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lora, "MOST", -1.0)  # no drift is small enough
    with pytest.raises(UserError, match="lora: merging the adapters changed a token or a reward"):
        sft.train(base, DIALOGUES, SFT, out=tmp_path / "sft", card=CARD)
    assert not (tmp_path / "sft").exists()
