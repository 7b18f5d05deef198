"""A tiny policy and reward model, and what they learn from; fixtures of conftest.py make them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from training.core import environment

environment.prepare()

TEXTS = [
    f"Give the sound of each: {a}, {b}." for a in ("dog", "cow", "owl") for b in ("cat", "hen")
]


def user(text: str) -> list[dict[str, str]]:
    """A one-turn prompt."""
    return [{"role": "user", "content": text}]


def write_base(path: Path) -> Path:
    """A random Llama of 2 layers with its tokenizer; head size 32, the least that vLLM takes."""
    from training.core.settings import Architecture
    from training.trainers import base as model

    shape = Architecture(64, 96, 2, 2, 1, max_position=256, initializer_range=0.2)
    model.from_scratch(path, TEXTS * 4, 320, shape, seed=1)
    return path


def write_reward_model(path: Path, base: Path) -> Path:
    """A reward model trained for a few steps to like answers that say woof."""
    from training.core.settings import RewardModel
    from training.trainers import reward_model as model

    settings = RewardModel(
        epochs=1, learning_rate=3e-3, global_batch=8, per_device_batch=8, max_length=128, seed=5
    )
    model.train("reward_model/test", base, comparisons(64), settings, out=path)
    return path


def comparisons(count: int) -> list[Any]:
    """Comparisons whose chosen response says woof and whose rejected one says moo."""
    from training.trainers.examples import Comparison

    return [
        Comparison(
            f"pair{k:03d}",
            user(f"question {k}?"),
            f"woof {k % 7}",
            f"moo {k % 5} {'!' * (k % 3)}",
            1.0,
        )
        for k in range(count)
    ]
