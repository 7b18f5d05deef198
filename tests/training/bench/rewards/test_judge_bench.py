"""JudgeBench's two games, by the table of what a pair counts."""

from __future__ import annotations

import numpy as np
import pytest

from training.bench.rewards.items import Item
from training.bench.rewards.judge_bench import figures, games


def item(source: str, right: int) -> Item:
    return Item("1", source, [], ("a", "b"), (right,))


@pytest.mark.parametrize(
    ("decided", "right"),
    [
        (("A>B", "B>A"), True),  # both orders name the right answer
        (("A>B", "A=B"), True),
        (("A=B", "B>A"), True),
        (("A>B", None), True),
        (("A>B", "A>B"), False),  # the place decides
        (("A=B", "A=B"), False),
        (("B>A", "A=B"), False),
        (("B>A", "A>B"), False),
        ((None, None), False),
        (("A>B",), True),
        (("B>A",), False),
    ],
)
def test_a_pair_is_right_where_more_games_say_so(
    decided: tuple[str | None, ...], right: bool
) -> None:
    assert figures([item("mmlu-pro-law", 0)], [decided])["score"] == float(right)


def test_micro_is_over_pairs_and_macro_over_categories() -> None:
    sources = [
        "mmlu-pro-law",
        "mmlu-pro-math",
        "livebench-math",
        "livebench-reasoning",
        "livecodebench",
    ]
    right = [("B>A", "A>B")] * 2 + [("A>B", "B>A")] * 3
    found = figures([item(source, 1) for source in sources], right)
    assert found["score"] == pytest.approx(2 / 5)
    assert found["macro"] == pytest.approx(1 / 4)
    assert found["parts"]["mmlu-pro"]["rows"] == 2
    assert (found["games"], found["inconsistent"]) == (2, 0)


def test_scores_make_two_games_and_a_tie_is_wrong() -> None:
    assert games(np.array([2.0, 1.0])) == ("A>B", "B>A")
    assert games(np.array([1.0, 2.0])) == ("B>A", "A>B")
    assert games(np.array([1.0, 1.0])) == ("B>A", "B>A")
    assert games(np.array([1.0, np.nan])) == (None, None)
    tied = [games(np.array([1.0, 1.0]))]
    assert figures([item("livecodebench", 0)], tied)["score"] == 0.0
    assert figures([item("livecodebench", 1)], tied)["score"] == 0.0
