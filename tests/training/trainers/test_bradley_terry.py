"""The head on fixed features: the optimum that another solver finds, and how its pull is chosen."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from curation.core.errors import UserError
from training.trainers import bradley_terry
from training.trainers.bradley_terry import Pairs


def pairs(count: int, width: int, noise: float, margin: float = 0.0) -> Pairs:
    rng = np.random.default_rng(1)
    better = rng.normal(size=width)
    chosen, rejected = rng.normal(size=(2, count, width)) * np.arange(1, width + 1)
    swap = (chosen - rejected) @ better + rng.normal(size=count) * noise < 0
    chosen[swap], rejected[swap] = rejected[swap], chosen[swap]
    groups = [str(k // 2) for k in range(count)]
    return Pairs(chosen, rejected, np.full(count, margin), groups)


def test_it_is_the_optimum_of_logistic_regression() -> None:
    given, l2 = pairs(60, 4, 3.0), 0.05
    solved = bradley_terry.solve(given, l2, seed=0)
    scale = np.concatenate([given.chosen, given.rejected]).std(0)
    gaps = (given.chosen - given.rejected) / scale
    both, labels = np.concatenate([gaps, -gaps]), np.repeat([1, 0], len(gaps))
    other = LogisticRegression(C=1 / (l2 * len(both)), fit_intercept=False, tol=1e-10)
    other.fit(both, labels)
    assert solved.weights * scale == pytest.approx(other.coef_[0], abs=1e-5)
    assert solved.held_out is None


def test_a_margin_asks_for_larger_differences() -> None:
    plain, asked = (bradley_terry.solve(pairs(60, 4, 3.0, m), 0.05, 0) for m in (0.0, 2.0))
    given = pairs(60, 4, 3.0)
    means = [((given.chosen - given.rejected) @ one.weights).mean() for one in (plain, asked)]
    assert means[1] > means[0]


def test_noise_gets_a_stronger_pull_and_the_same_folds_every_time() -> None:
    clean, noisy = pairs(200, 30, 0.1), pairs(200, 30, 300.0)
    first, second = bradley_terry.solve(clean, None, 3), bradley_terry.solve(noisy, None, 3)
    assert first.l2 < second.l2
    assert first.held_out is not None
    assert first.held_out > 0.85
    assert second.held_out == pytest.approx(0.5, abs=0.1)
    assert bradley_terry.solve(clean, None, 3).weights.tobytes() == first.weights.tobytes()


def test_a_feature_that_never_varies_has_no_weight() -> None:
    given = pairs(40, 3, 1.0)
    given.chosen[:, 1] = given.rejected[:, 1] = 7.0
    assert bradley_terry.solve(given, 0.1, 0).weights[1] == 0.0


def test_too_few_prompts_to_choose_by() -> None:
    with pytest.raises(UserError, match=r"reward_model.l2: 4 prompts are too few"):
        bradley_terry.solve(pairs(8, 2, 1.0), None, 0)
