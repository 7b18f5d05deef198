"""Length bias responds: it follows the generator's, and the debiased reward is free of it.

Comparisons of the sample world, labelled by its noisy annotator at four tastes for length; each
trains a small reward model, which then scores 8 responses to each of many prompts.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from data.sample.maker import Maker, WorldConfig
from data.sample.pairing import compare
from data.sample.world import reward
from data.sample.writers import MIX_WRITERS, respond
from tests.models import user
from training.core.settings import Architecture, RewardModel
from training.core.statistics import Floats
from training.engines.settings import Engine
from training.judges.reward_model import RewardModelJudge
from training.measures import debias, length_bias
from training.trainers import base as bases
from training.trainers import reward_model
from training.trainers.examples import Comparison

pytestmark = pytest.mark.slow

TASTES = (0.0, 0.02, 0.06, 0.2)  # logits per character
PAIRS, N = 1000, 8
SETTINGS = RewardModel(
    epochs=2, learning_rate=2e-3, global_batch=16, per_device_batch=16, max_length=128, seed=5,
    group_by_length=True,
)  # fmt: skip


@dataclass(frozen=True)
class Responses:
    """N responses to each prompt, flat: prompt, text, characters, oracle reward."""

    prompts: list[str]
    texts: list[str]
    chars: list[int]
    truth: Floats


def comparisons(taste: float) -> list[Comparison]:
    maker = Maker(WorldConfig(length_bias=taste))
    rng, found = maker.rng("pairs"), []
    for number in range(PAIRS):
        task, prompt = maker.prompt(rng)
        chosen, rejected = compare(maker, prompt, task, rng)
        found.append(Comparison(f"pair{number}", user(prompt), chosen, rejected))
    return found


def sampled(seed: int, prompts: int) -> Responses:
    maker, asked, texts = Maker(WorldConfig(seed=seed)), [], []
    rng = maker.rng("responses")
    for _ in range(prompts):
        task, prompt = maker.prompt(rng)
        asked += [prompt] * N
        texts += [respond(task, rng.choice(MIX_WRITERS), rng) for _ in range(N)]
    truth = [reward(*item) for item in zip(asked, texts, strict=True)]
    return Responses(asked, texts, [*map(len, texts)], np.array(truth))


@pytest.fixture(scope="module")
def seen() -> Responses:
    """What the correlations are measured on, and the debiased reward is fitted on."""
    return sampled(77, 1200)


@pytest.fixture(scope="module")
def models(seen: Responses, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """One reward model per taste."""
    folder = tmp_path_factory.mktemp("models")
    shape = Architecture(64, 96, 2, 2, 1, max_position=128, initializer_range=0.1)
    bases.from_scratch(folder / "base", seen.prompts[::N] + seen.texts, 600, shape, 1)
    for taste in TASTES:
        out = folder / str(taste)
        reward_model.train("reward_model/t", folder / "base", comparisons(taste), SETTINGS, out=out)
    return [folder / str(taste) for taste in TASTES]


def scores(model: Path, of: Responses) -> Floats:
    judge = RewardModelJudge(model, Engine(batch_tokens=16384))
    items = [(user(prompt), text) for prompt, text in zip(of.prompts, of.texts, strict=True)]
    return np.array([verdict.reward for verdict in judge.judge(items)], float)


def pearson(values: Floats, of: Responses) -> float:
    return float(length_bias.study(values.tolist(), of.chars, of.prompts, 1)["pearson"]["mean"])


def accuracy(values: Floats, truth: Floats) -> float:
    """Share of a prompt's response pairs, of different true rewards, that are ordered rightly."""
    right, pairs = 0.0, 0
    for shift in range(1, N):  # each pair of the N once from either side
        given = values.reshape(-1, N) - np.roll(values.reshape(-1, N), shift, axis=1)
        wanted = truth.reshape(-1, N) - np.roll(truth.reshape(-1, N), shift, axis=1)
        differ = wanted != 0
        right += float(((given > 0) == (wanted > 0))[differ].sum())
        pairs += int(differ.sum())
    return right / pairs


def test_a_stronger_taste_for_length_gives_a_stronger_correlation(
    seen: Responses, models: list[Path]
) -> None:
    found = [pearson(scores(model, seen), seen) for model in models]
    assert np.diff(found).min() > 0.02, found


def test_the_debiased_reward_has_no_correlation_left_and_orders_as_well(
    seen: Responses, models: list[Path]
) -> None:
    """At the strongest taste; over 1,600 further prompts the mean's standard error is some 0.01.

    Accuracy is that of the oracle's order, to which length is nothing: taking it off gains.
    """
    fitted = scores(models[-1], seen).tolist()
    slope = debias.fit(fitted, seen.chars, seen.prompts)
    other = sampled(78, 1600)
    before = scores(models[-1], other)
    after = np.asarray(debias.residual(before.tolist(), other.chars, slope))
    assert abs(pearson(after, other)) < 0.03
    assert accuracy(after, other.truth) > accuracy(before, other.truth) - 0.01
