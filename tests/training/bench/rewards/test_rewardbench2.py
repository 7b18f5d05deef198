"""RewardBench 2 by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from training.bench.rewards.items import Item
from training.bench.rewards.rewardbench2 import best_of, figures, ties


def item(key: str, group: str, count: int, right: int = 1) -> Item:
    return Item(key, group, [], ("",) * count, tuple(range(right)))


@pytest.mark.parametrize(
    ("scores", "share"),
    [
        ([2.0, 1, 1, 1], 1.0),
        ([2.0, 2, 1, 1], 0.5),
        ([2.0, 2, 2, 1], 1 / 3),
        ([1.0, 1, 1, 1], 0.25),
        ([1.0, 2, 0, 0], 0.0),
        ([3.0, math.nan, 0, 0], 0.0),
    ],
)
def test_a_tie_for_the_best_counts_its_share(scores: list[float], share: float) -> None:
    assert best_of([item("1", "Focus", 4)], [np.array(scores)]) == pytest.approx(share)


def test_ties_by_hand() -> None:
    """Question 1: right answers 5 and 4 over 1 (gap 3, spread 1), alone 2 over 0 (gap 2).

    Question 2: right answers 3 and 1 over 0 (gap 1, spread 2), alone 0 over 1 (gap -1).
    """
    items = [
        item("tied:1", "Ties", 3, 2), item("ref:1", "Ties", 2),
        item("tied:2", "Ties", 3, 2), item("ref:2", "Ties", 2),
    ]  # fmt: skip
    scores = [[5.0, 4, 1], [2.0, 0], [3.0, 1, 0], [0.0, 1]]
    margin = (math.tanh(2 / 1 - 1) + math.tanh(-1 / 2 - 1)) / 2
    expected = 0.3 * 1.0 + 0.3 * 0.5 + 0.2 * 0.5 + 0.2 * 0.5 + 0.01 * margin
    assert ties(items, [np.array(one) for one in scores]) == pytest.approx(expected)


def test_ties_without_a_reference_or_a_score() -> None:
    assert ties([item("tied:1", "Ties", 3, 2)], [np.array([2.0, 2, 1])]) == pytest.approx(0.3)
    both = [item("tied:1", "Ties", 3, 2), item("ref:1", "Ties", 2)]
    assert ties(both, [np.array([math.nan, 1, 1]), np.array([1.0, 0])]) == pytest.approx(0.3)


def test_the_score_needs_all_six_subsets() -> None:
    names = ["Factuality", "Focus", "Math", "Precise IF", "Safety"]
    items = [item(name, name, 4) for name in names]
    scores = [np.array([1.0, 0, 0, 0])] * 5
    assert figures(items, scores)["score"] is None
    pair = [item("ref:1", "Ties", 2), item("tied:1", "Ties", 3, 2)]
    found = figures([*items, *pair], [*scores, np.array([1.0, 0]), np.array([2.0, 1.5, 0])])
    tied = 0.3 + 0.3 + 0.2 + 0.2 + 0.01 * math.tanh(1 / 0.5 - 1)
    assert found["parts"]["Ties"]["accuracy"] == pytest.approx(tied)
    assert found["score"] == pytest.approx((5 + tied) / 6)
