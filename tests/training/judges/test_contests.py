"""Contests on known strengths: who is best and worst, how many matches, what a failure costs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import pytest

from training.judges.contests import Result, play

Matches = Sequence[tuple[int, int, int]]


def contest(
    strengths: list[list[float]], kind: str, broken: frozenset[tuple[int, int, int]] = frozenset()
) -> tuple[list[list[float | None]], list[list[str | None]], int, int]:
    rounds = asked = 0

    def ask(matches: Matches) -> list[Result]:
        nonlocal rounds, asked
        rounds, asked = rounds + 1, asked + len(matches)
        return [
            "broken"
            if (g, *sorted((i, j))) in broken
            else 1 / (1 + math.exp(strengths[g][j] - strengths[g][i]))
            for g, i, j in matches
        ]

    found = play([len(group) for group in strengths], kind, ask)  # type: ignore[arg-type]
    rewards = [[verdict.reward for verdict in group] for group in found]
    reasons = [[verdict.reason for verdict in group] for group in found]
    return rewards, reasons, rounds, asked


def test_round_robin_orders_by_strength_and_asks_all_prompts_at_once() -> None:
    rewards, _, rounds, asked = contest([[0.0, 2.0, 1.0], [1.0, -1.0], [5.0]], "round_robin")
    assert (rounds, asked) == (1, 4)
    a, b, c = (reward or 0.0 for reward in rewards[0])
    assert a < c < b
    assert a + b + c == pytest.approx(1.5)
    assert rewards[2] == [None]


@pytest.mark.parametrize("n", [2, 3, 5, 8, 15, 64])
def test_knockout_finds_the_best_in_matches_linear_in_n(n: int) -> None:
    strengths = [float((7 * k) % n) if math.gcd(7, n) == 1 else float(k) for k in range(n)]
    rewards, _, rounds, asked = contest([strengths], "knockout")
    found = [reward if reward is not None else math.nan for reward in rewards[0]]
    assert max(range(n), key=found.__getitem__) == strengths.index(max(strengths))
    assert found.count(max(found)) == 1
    assert asked <= 1.5 * n
    assert rounds <= 2 * math.ceil(math.log2(n))
    assert min(range(n), key=found.__getitem__) == strengths.index(min(strengths))
    assert found.count(min(found)) == 1


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6, 7])
def test_knockout_finds_both_ends_in_every_order(n: int) -> None:
    """With an odd number somebody sits out a round: best and worst are found there too."""
    for order in itertools.permutations(range(n)):
        rewards, _, _, _ = contest([[float(k) for k in order]], "knockout")
        found = [reward if reward is not None else math.nan for reward in rewards[0]]
        assert found.count(max(found)) == found.count(min(found)) == 1
        assert order[found.index(max(found))] == n - 1
        assert order[found.index(min(found))] == 0


def test_a_failed_match_is_null_with_its_reason_in_a_knockout() -> None:
    rewards, reasons, _, _ = contest([[1.0, 2.0, 3.0, 4.0]], "knockout", frozenset({(0, 0, 1)}))
    assert rewards[0][:2] == [None, None]
    assert reasons[0][0] == "a comparison failed: broken"
    assert rewards[0][3] is not None
    assert rewards[0][3] > (rewards[0][2] or 0.0)


def test_round_robin_needs_half_of_the_matches() -> None:
    broken = frozenset({(0, 0, 1), (0, 0, 2)})
    rewards, reasons, _, _ = contest([[1.0, 2.0, 3.0, 4.0]], "round_robin", broken)
    assert rewards[0][0] is None
    assert reasons[0][0] == "2 of 3 comparisons failed: broken"
    assert None not in rewards[0][1:]


def test_identical_strengths_share_the_reward() -> None:
    rewards, _, _, _ = contest([[1.0, 1.0]], "round_robin")
    assert rewards[0] == [0.5, 0.5]
