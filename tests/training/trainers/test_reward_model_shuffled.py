"""Judges learn from the labels and from nothing else: on shuffled labels they are at chance.

The truth has many independent parts (each word is good or bad, a response is better when it has
more good words), so that what a model makes of noise says little about it: over W words the noise
correlates with the truth by 1/sqrt(W), which moves accuracy by some 2 points; seeds average that.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

import pytest

from tests.models import user
from training.core.settings import Architecture, RewardModel, Sft
from training.engines.settings import Engine
from training.judges.reward_model import RewardModelJudge
from training.trainers import base as bases
from training.trainers import preference_model, reward_model
from training.trainers.examples import Comparison

pytestmark = pytest.mark.slow

LETTERS = ("bdfgklmnprst", "aeiou", "klmnrst")
WORDS = ["".join(letters) for letters in itertools.product(*LETTERS)][:400]
PROMPT = user("Say it.")
Accuracy = Callable[[Path, Sequence[Comparison], int, Path], float]


def made(count: int, words: Sequence[str], length: int, seed: int) -> list[Comparison]:
    """Random responses of `length` words; every second word is good, and more of them is better."""
    good, rng = set(words[::2]), random.Random(seed)
    found: list[Comparison] = []
    while len(found) < count:
        sides = [[rng.choice(words) for _ in range(length)] for _ in range(2)]
        worse, better = sorted(sides, key=lambda side: sum(word in good for word in side))
        if sum(word in good for word in worse) < sum(word in good for word in better):
            chosen, rejected = ("x " + " ".join(side) for side in (better, worse))
            found.append(Comparison(f"{seed}-{len(found)}", PROMPT, chosen, rejected))
    return found


def shuffled(items: Sequence[Comparison], seed: int) -> list[Comparison]:
    """A random half of the labels are turned: they say nothing of the truth."""
    turned = set(random.Random(seed).sample(range(len(items)), len(items) // 2))
    return [
        replace(item, chosen=item.rejected, rejected=item.chosen) if place in turned else item
        for place, item in enumerate(items)
    ]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Llama of 2 layers that has a token for each word."""
    path = tmp_path_factory.mktemp("models") / "base"
    shape = Architecture(64, 96, 2, 2, 1, max_position=128, initializer_range=0.1)
    corpus = ["Say it. x " + " ".join(WORDS) + " [CONTEXT] [RESPONSE A] [RESPONSE B]"] * 4
    bases.from_scratch(path, corpus, 900, shape, seed=1)
    return path


def of_reward_model(start: Path, items: Sequence[Comparison], seed: int, out: Path) -> float:
    settings = RewardModel(
        epochs=2, learning_rate=3e-3, global_batch=16, per_device_batch=16, max_length=64, seed=seed
    )
    reward_model.train("reward_model/test", start, items, settings, out=out)
    judge = RewardModelJudge(out, Engine(batch_tokens=8192))
    test = made(1500, WORDS, 3, seed=99)
    chosen = judge.judge([(item.prompt, item.chosen) for item in test])
    rejected = judge.judge([(item.prompt, item.rejected) for item in test])
    pairs = zip(chosen, rejected, strict=True)
    return mean(float((a.reward or 0.0) > (b.reward or 0.0)) for a, b in pairs)


def of_preference_model(start: Path, items: Sequence[Comparison], seed: int, out: Path) -> float:
    settings = Sft(
        epochs=3, learning_rate=3e-3, global_batch=16, per_device_batch=16, max_length=96,
        seed=seed, packing=False,
    )  # fmt: skip
    preference_model.train(start, items, settings, out=out, both_orders=True)
    test = made(800, WORDS[:200], 2, seed=99)
    wide = replace(settings, per_device_batch=64)  # its tokens bound the batches of inference
    found: float = preference_model.held_out(out, test, wide)["accuracy"]
    return found


@dataclass(frozen=True)
class Case:
    """A kind of judge, the truth it learns (words, words per response), pairs, runs on noise."""

    accuracy: Accuracy
    words: int
    length: int
    pairs: int
    runs: int


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(Case(of_reward_model, 400, 3, 1200, 4), id="reward model"),
        pytest.param(Case(of_preference_model, 200, 2, 800, 3), id="preference model"),
    ],
)
def test_shuffled_labels_teach_nothing_and_true_ones_do(
    start: Path, tmp_path: Path, case: Case
) -> None:
    train = made(case.pairs, WORDS[: case.words], case.length, seed=5)
    noise = [
        case.accuracy(start, shuffled(train, 100 + run), run, tmp_path / f"noise{run}")
        for run in range(case.runs)
    ]
    assert case.accuracy(start, train, 0, tmp_path / "true") > 0.8
    assert mean(noise) == pytest.approx(0.5, abs=0.03), noise
