"""Intervals and tests over prompts, against SciPy's where it has them and worlds of known truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from training.measures import intervals


def test_wilson_is_scipys() -> None:
    for right, rows in ((0, 5), (3, 10), (812, 1000), (7, 7)):
        found = stats.binomtest(right, rows).proportion_ci(0.95, method="wilson")
        assert intervals.wilson(right, rows) == pytest.approx((found.low, found.high), abs=1e-12)


def test_rows_of_prompts_of_their_own_have_wilsons_interval() -> None:
    right = np.array([1.0, 0, 1, 1, 0.5])
    assert intervals.clustered(right, list("abcde")) == intervals.wilson(3.5, 5)


def test_rows_that_repeat_their_prompt_tell_nothing_more() -> None:
    right = np.array([1.0, 0, 1, 1, 0, 1, 1, 1, 0, 1])
    once = intervals.clustered(right, np.arange(10))
    six = intervals.clustered(np.repeat(right, 6), np.repeat(np.arange(10), 6))
    assert six[1] - six[0] > once[1] - once[0]
    assert six == pytest.approx(once, abs=0.08)
    rows = intervals.wilson(6 * right.sum(), 60)
    assert six[1] - six[0] > 2 * (rows[1] - rows[0])


@pytest.mark.parametrize(("prompts", "each"), [(60, 6), (30, 2), (200, 10)])
def test_the_interval_covers_the_truth_with_several_pairs_a_prompt(prompts: int, each: int) -> None:
    """Each prompt has its own chance of being judged rightly: beta, mean .75, correlation .2."""
    draw = np.random.default_rng(7)
    groups = np.repeat(np.arange(prompts), each)
    inside, naive = [], []
    for _ in range(1500):
        right = (draw.random(len(groups)) < draw.beta(3, 1, prompts)[groups]).astype(float)
        low, high = intervals.clustered(right, groups)
        inside.append(low <= 0.75 <= high)
        low, high = intervals.wilson(right.sum(), len(right))
        naive.append(low <= 0.75 <= high)
    assert 0.93 < np.mean(inside) < 0.975
    assert np.mean(naive) < np.mean(inside)


def test_edges_say_little() -> None:
    assert intervals.clustered(np.array([1.0, 0.0]), ["a", "a"]) == (0.0, 1.0)
    low, high = intervals.clustered(np.ones(12), np.repeat(np.arange(3), 4))
    assert high == pytest.approx(1.0)
    assert low < 0.5, "three prompts, all right"


def test_the_paired_test_of_single_rows_is_scipys() -> None:
    draw = np.random.default_rng(2)
    left, right = (draw.random((2, 80)) < [[0.8], [0.7]]).astype(float)
    found = intervals.paired(left, right, np.arange(80))
    theirs = stats.ttest_rel(left, right)
    assert found["p"] == pytest.approx(theirs.pvalue, rel=1e-9)
    span = theirs.confidence_interval(0.95)
    assert (found["low"], found["high"]) == pytest.approx((span.low, span.high))


def test_the_paired_test_of_equal_groups_is_that_of_their_means() -> None:
    draw = np.random.default_rng(3)
    left, right = (draw.random((2, 90)) < 0.7).astype(float)
    groups = np.repeat(np.arange(15), 6)
    means = (left - right).reshape(15, 6).mean(axis=1)
    found = intervals.paired(left, right, groups)
    assert found["p"] == pytest.approx(stats.ttest_1samp(means, 0.0).pvalue, rel=1e-9)
    assert found["prompts"] == 15


def test_judges_that_never_differ_and_always_differ() -> None:
    same = np.ones(8)
    assert intervals.paired(same, same, np.arange(8))["p"] == 1.0
    always = intervals.paired(same, np.zeros(8), np.arange(8))
    assert always["p"] == stats.binomtest(8, 8, 0.5).pvalue
    assert intervals.paired(same, np.zeros(8), np.zeros(8, int))["p"] is None


def test_holm_by_hand() -> None:
    """Smallest times 4, next times 3, and never below the one before."""
    assert intervals.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert intervals.holm([0.9, None, 0.8]) == [1.0, None, 1.0]
    assert intervals.holm([]) == []


def test_holm_keeps_the_chance_of_any_false_find() -> None:
    draw = np.random.default_rng(4)
    found = [min(x or 0.0 for x in intervals.holm(draw.random(12).tolist())) for _ in range(4000)]
    assert np.mean(np.array(found) < 0.05) == pytest.approx(0.05, abs=0.015)
