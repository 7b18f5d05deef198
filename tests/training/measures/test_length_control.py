"""The integrated regression against slow, independent ways to the same figures."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, optimize, special, stats

from training.measures import integrated, length_control
from training.measures.integrated import Judged
from training.measures.length_control import GPT4_TURBO, UNKNOWN


def world(models: int, items: int, taste: float, seed: int = 0) -> Judged:
    """Answers of equal lengths on average, judged with a taste for length and hard instructions."""
    draw = np.random.default_rng(seed)
    model, item = np.divmod(np.arange(models * items), items)
    length = np.tanh(draw.normal(0, 1, models * items))
    hard = draw.normal(0, 1.5, items)
    chance = special.expit(-0.5 + 0.3 * model + taste * length + hard[item])
    return Judged(model, item, (draw.random(len(chance)) < chance).astype(float), length)


def test_one_model_is_fitted_as_a_slow_integral_says() -> None:
    rows = world(1, 25, 1.0)
    above = rows.length - rows.length.mean()

    def loss(at: np.ndarray) -> float:
        total = (at[1] - GPT4_TURBO.slope) ** 2 / (2 * GPT4_TURBO.own_slope**2)
        for y, length, shift in zip(rows.preference, rows.length, above, strict=True):
            logit = at[0] + at[1] * length + GPT4_TURBO.confounding * shift
            chance, _ = integrate.quad(
                lambda d, logit=logit: special.expit(logit + 1.5 * d) * stats.norm.pdf(d), -9, 9
            )
            total -= np.log(chance if y else 1 - chance)
        return float(total)

    slow = optimize.minimize(loss, [0.0, 1.5], method="Nelder-Mead", options={"xatol": 1e-4}).x
    fast = length_control.fit(rows, GPT4_TURBO)
    assert [fast.ability[0], fast.slope[0]] == pytest.approx(slow, abs=2e-3)
    rate = np.mean(
        [
            _with_difficulty(slow, y, length, GPT4_TURBO.confounding * shift)
            for y, length, shift in zip(rows.preference, rows.length, above, strict=True)
        ]
    )
    assert fast.rates[0] == pytest.approx(rate, abs=1e-3)


def _with_difficulty(at: np.ndarray, y: float, length: float, shift: float) -> float:
    """Expected preference at equal length, the difficulty as the row lets one think it is."""
    d = np.linspace(-9, 9, 20001)
    chance = special.expit(at[0] + at[1] * length + shift + 1.5 * d)
    weight = stats.norm.pdf(d) * (chance if y else 1 - chance)
    return float((special.expit(at[0] + shift + 1.5 * d) * weight).sum() / weight.sum())


def test_gradient_and_curvature_are_those_of_the_loss() -> None:
    posterior = integrated.prepare(world(3, 40, 1.0), GPT4_TURBO)
    at = np.random.default_rng(1).normal(0, 1, 6)
    slope = optimize.approx_fprime(at, lambda x: posterior.loss(x)[0], 1e-6)
    assert posterior.loss(at)[1] == pytest.approx(slope, abs=1e-3)
    bend = np.array(
        [
            (posterior.loss(at + step)[1] - posterior.loss(at - step)[1]) / 2e-5
            for step in 1e-5 * np.eye(6)
        ]
    )
    assert integrated.Moments(posterior, at).hessian == pytest.approx(bend, abs=1e-4)
    wide = np.r_[at, 0.4]
    slope = optimize.approx_fprime(wide, lambda x: posterior.with_spread(x)[0], 1e-6)
    assert posterior.with_spread(wide)[1] == pytest.approx(slope, abs=1e-3)


@pytest.mark.parametrize(("models", "known"), [(1, GPT4_TURBO), (1, UNKNOWN), (4, GPT4_TURBO)])
def test_the_errors_are_those_of_resampled_instructions(
    models: int, known: integrated.Known
) -> None:
    rows, draw = world(models, 150, 1.5), np.random.default_rng(5)
    found = []
    for _ in range(120):
        drawn = draw.integers(0, 150, 150)
        places = np.concatenate([np.flatnonzero(rows.instruction == item) for item in drawn])
        again = Judged(
            rows.model[places],
            np.repeat(np.arange(150), models),
            rows.preference[places],
            rows.length[places],
        )
        found.append(length_control.fit(again, known).rates)
    told = length_control.fit(rows, known).errors
    assert told == pytest.approx(np.std(found, axis=0, ddof=1), rel=0.2)


def test_a_judge_without_a_taste_is_not_taken_for_one_that_is_known() -> None:
    assert length_control.alike(world(1, 400, 1.5), GPT4_TURBO)
    assert not length_control.alike(world(1, 400, 0.0), GPT4_TURBO)
    assert not length_control.alike(world(1, 20, 1.5), GPT4_TURBO), "too few rows to tell"


def test_an_unknown_judges_difficulties_and_taste_are_found() -> None:
    found = length_control.fit(world(12, 400, 1.0), UNKNOWN)
    assert found.slope.mean() == pytest.approx(1.0, abs=0.15)
    assert found.difficulty == pytest.approx(1.5, abs=0.15)


def test_nothing_known_of_the_judge_is_a_plain_logistic_regression() -> None:
    from sklearn.linear_model import LogisticRegression

    rows = world(1, 300, 0.7)
    plain = LogisticRegression(C=1e6).fit(rows.length[:, None], rows.preference)
    found = length_control.fit(rows, UNKNOWN)
    assert found.slope[0] == pytest.approx(plain.coef_[0, 0], abs=1e-3)
    assert found.rates[0] == pytest.approx(special.expit(plain.intercept_[0]), abs=1e-4)
