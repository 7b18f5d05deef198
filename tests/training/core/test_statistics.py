from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from training.core import statistics
from training.measures import length_bias


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=3, max_size=30))
def test_correlations_agree_with_scipy(rows: list[tuple[int, int]]) -> None:
    x, y = np.array(rows, dtype=float).T
    if len(set(x)) < 2 or len(set(y)) < 2:
        assert np.isnan(statistics.pearson(x, y))
        return
    assert statistics.pearson(x, y) == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-12)
    assert statistics.spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)


def test_the_prompt_is_the_unit_of_the_standard_error() -> None:
    found = statistics.mean_se([1.0, 3.0, 5.0, 5.0], ["a", "a", "b", "b"])
    assert found == {"mean": 3.5, "se": pytest.approx(np.std([2, 5], ddof=1) / 2**0.5), "n": 2}
    assert statistics.mean_se([2.0], ["a"])["se"] == 0


def test_distinct_ngrams() -> None:
    assert statistics.distinct(["a a a b", "a", ""], 2) == [pytest.approx(2 / 3), 1.0, 1.0]


def test_bootstrap_is_seeded_and_covers_the_mean() -> None:
    values = np.arange(50.0)
    low, high = statistics.bootstrap(values, 1)
    assert (low, high) == statistics.bootstrap(values, 1)
    assert low < values.mean() < high


def world(slope: float, prompts: int = 200, n: int = 8) -> dict[str, object]:
    generator = np.random.default_rng(0)
    names = np.repeat([f"p{k}" for k in range(prompts)], n)
    chars = generator.integers(10, 300, prompts * n)
    level = np.repeat(generator.normal(0, 5, prompts), n)
    rewards = level + slope * chars + generator.normal(0, 1, prompts * n)
    return length_bias.study(rewards.tolist(), chars.tolist(), names.tolist(), seed=1)


def test_a_known_slope_is_found_within_prompts() -> None:
    assert world(0.01)["reward_per_100_chars"] == pytest.approx(1.0, abs=0.1)
    assert abs(float(world(0.0)["pearson"]["mean"])) < 0.05  # type: ignore[index]


def test_the_correlation_rises_with_the_bias() -> None:
    means = [float(world(slope)["pearson"]["mean"]) for slope in (0, 0.002, 0.005, 0.02)]  # type: ignore[index]
    assert means == sorted(means)
    assert means[-1] > 0.8


def test_the_order_of_rows_does_not_matter() -> None:
    rewards, chars, names = [1.0, 2.0, 0.5, 3.0], [5, 9, 2, 1], ["a", "a", "b", "b"]
    once = length_bias.study(rewards, chars, names, 1)
    order = [3, 0, 2, 1]
    again = length_bias.study(
        [rewards[k] for k in order], [chars[k] for k in order], [names[k] for k in order], 1
    )
    assert once == again
    assert once["chosen_longer"] == 0.5


def test_prompts_without_variation_have_no_correlation() -> None:
    found = length_bias.study([1.0, 1.0], [5, 9], ["a", "a"], 1)
    assert found["pearson"]["mean"] is None
    assert found["pearson"]["prompts"] == 0


def test_order_agreement_counts_pairs_within_a_group_alone() -> None:
    ours = np.array([1.0, 2.0, 3.0, 5.0, 5.0, 9.0])
    theirs = np.array([0.0, 1.0, 0.5, 1.0, 2.0, -9.0])
    groups = ["a", "a", "a", "b", "b", "c"]
    found = statistics.order_agreement(ours, theirs, groups)
    assert found == {"accuracy": (2 + 0.5) / 4, "pairs": 4}
    nothing = statistics.order_agreement(ours[:2], np.zeros(2), ["a", "a"])
    assert nothing["pairs"] == 0
    assert np.isnan(nothing["accuracy"])
