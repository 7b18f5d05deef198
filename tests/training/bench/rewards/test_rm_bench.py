"""RM-Bench by hand, and against a loop over all comparisons."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from training.bench.rewards.items import Item
from training.bench.rewards.rm_bench import figures


def item(group: str) -> Item:
    return Item("1", group, [], ("",) * 6, (0, 1, 2))


def test_styles_make_levels() -> None:
    """The right answer scores 1, 2, 3 by style, the wrong one 1.5, 2.5, 0."""
    found = figures([item("chat")], [np.array([1, 2, 3, 1.5, 2.5, 0])])
    part = found["parts"]["chat"]
    assert part["easy"] == pytest.approx(3 / 3)  # 2 > 1.5, 3 > 1.5, 3 > 2.5
    assert part["normal"] == pytest.approx(1 / 3)  # only 3 > 0
    assert part["hard"] == pytest.approx(2 / 3)  # 1 < 2.5, 1 > 0, 2 > 0
    assert part["accuracy"] == pytest.approx((1 + 1 / 3 + 2 / 3) / 3)
    assert found["score"] is None, "three domains are missing"


def test_safety_is_one_domain_and_the_score_a_mean_of_four() -> None:
    draw = np.random.default_rng(1)
    groups = ["chat", "code", "math", "safety-refuse", "safety-response", "safety-response"]
    scores = [draw.normal(size=6) for _ in groups]
    found = figures([item(group) for group in groups], scores)
    by_domain: dict[str, dict[str, list[float]]] = {}
    for group, each in zip(groups, scores, strict=True):
        levels = by_domain.setdefault(group.split("-")[0], {})
        for right, wrong in itertools.product(range(3), range(3)):
            level = "easy" if right > wrong else "hard" if right < wrong else "normal"
            levels.setdefault(level, []).append(float(each[right] > each[3 + wrong]))
    means = {d: {k: np.mean(v) for k, v in levels.items()} for d, levels in by_domain.items()}
    assert found["score"] == pytest.approx(
        np.mean([np.mean(list(m.values())) for m in means.values()])
    )
    for level in ("easy", "normal", "hard"):
        assert found[level] == pytest.approx(np.mean([m[level] for m in means.values()]))


def test_a_response_without_a_score_never_wins() -> None:
    found = figures([item("chat")], [np.array([np.nan, 2, 3, 0, 0, np.nan])])
    assert found["right_by_wrong_style"]["chat"] == [[0, 0, 0], [1, 1, 0], [1, 1, 0]]
