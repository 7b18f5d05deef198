"""A finished run gives its model back before anything loads what was saved."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import Any

import pytest

from tests.models import comparisons
from training.core import checkpoint
from training.core.settings import RewardModel, Sft
from training.trainers import replay, reward_model, run, sft

SETTINGS = Sft(
    epochs=1, learning_rate=1e-3, global_batch=4, per_device_batch=4, max_length=64, seed=1
)


def watch(monkeypatch: pytest.MonkeyPatch, module: Any) -> list[Any]:
    """Weak references to the models, optimisers included, of the trainers that a module makes."""
    held: list[Any] = []
    made = module._trainer

    def seen(*args: Any, **kwargs: Any) -> Any:
        trainer = made(*args, **kwargs)
        held.append(weakref.ref(trainer.model))
        return trainer

    monkeypatch.setattr(module, "_trainer", seen)
    return held


def test_the_trained_model_is_gone_when_the_checkpoint_is_finished(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = watch(monkeypatch, sft)
    finish = checkpoint.finish
    gone = []

    def looked(*args: Any) -> str:
        gone.append([one() is None for one in held])
        return finish(*args)

    monkeypatch.setattr(run.checkpoint, "finish", looked)
    talks = [[*one.prompt, {"role": "assistant", "content": one.chosen}] for one in comparisons(8)]
    metrics = sft.train(base, talks, SETTINGS, out=tmp_path / "sft", card={"name": "sft"})
    assert gone == [[True]]
    assert metrics["steps"] == 1
    assert metrics["loss"] > 0


def test_a_reward_model_is_scored_without_the_one_that_was_trained(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = watch(monkeypatch, reward_model)
    scored = replay.reference_scores
    gone = []

    def looked(*args: Any) -> Any:
        gone.append([one() is None for one in held])
        return scored(*args)

    monkeypatch.setattr(replay, "reference_scores", looked)
    settings = RewardModel(
        epochs=1, learning_rate=1e-3, global_batch=4, per_device_batch=4, max_length=64, seed=1
    )
    reward_model.train("reward_model/m", base, comparisons(8), settings, out=tmp_path / "rm")
    assert gone == [[True]]
