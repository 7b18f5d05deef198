"""Pairs of like length: what each strategy takes of them, by hand and by brute force."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import pytest

from curation.pairing.pairs import Made
from curation.pairing.rules import Rules
from tests.curation.pairing.test_strategies_brute_force import answers

# lengths 10, 4, 9, 5: only 0 with 2 and 1 with 3 are alike
FOUR = {"p": [("a" * 10, 5.0), ("b" * 4, 4.0), ("c" * 9, 3.0), ("d" * 5, 0.5)]}


def _ids(made: Made) -> list[tuple[str, str]]:
    rows = made.pairs.select("chosen_id", "rejected_id").rows()
    return sorted((one[2:], other[2:]) for one, other in rows)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (Rules(match_length=0.2), [("1", "3")]),  # the widest margin, 3.5 against 2
        (Rules(match_length=0.1), [("0", "2")]),  # 4 and 5 differ by a fifth
        (Rules(match_length=0.0, match_within=1), [("1", "3")]),
        (Rules(strategy="best_second", match_length=0.2), [("0", "2")]),
        (Rules(strategy="best_random", match_length=0.2), [("0", "2")]),
        (Rules(strategy="target_margin", target_margin=1.9, match_length=0.2), [("0", "2")]),
        (Rules(strategy="top_k_bottom_k", match_length=0.2), [("0", "2"), ("1", "3")]),
        (Rules(strategy="top_k_bottom_k", match_length=0.2, max_per_prompt=1), [("0", "2")]),
        (Rules(match_length=1.0), [("0", "3")]),  # any length: as without
    ],
)
def test_strategy_among_pairs_of_like_length(
    world: Callable[..., Any], rules: Rules, expected: list[tuple[str, str]]
) -> None:
    assert _ids(world(FOUR).make(rules)) == expected


def test_random_draws_from_pairs_of_like_length_alone(world: Callable[..., Any]) -> None:
    seen = {
        one
        for seed in range(30)
        for one in _ids(world(FOUR).make(Rules(strategy="random", match_length=0.2, seed=seed)))
    }
    assert seen == {("0", "2"), ("1", "3")}


def test_a_prompt_without_such_a_pair_is_in_the_ledger(world: Callable[..., Any]) -> None:
    said = {**FOUR, "q": [("a" * 10, 1.0), ("b" * 4, 0.0)]}
    made = world(said).make(Rules(match_length=0.2))
    assert made.pairs["prompt_id"].to_list() == ["p"]
    told = made.rejects.select("item_id", "rule", "detail").rows()
    assert told == [("q", "length_unmatched", "nearest to the strategy: 10 and 4 chars")]
    assert made.metrics["rules"] == {"length_unmatched": 1}


def test_lengths_are_tokens_where_the_recipe_counts_tokens(world: Callable[..., Any]) -> None:
    said = {"p": [("a" * 9, 1.0), ("b" * 4, 0.0)]}  # 10 and 5 tokens, 9 and 4 characters
    half = {"match_length": 0.5}
    assert _ids(world(said).make(Rules(length_unit="tokens", **half))) == [("0", "1")]
    assert world(said | FOUR).make(Rules(**half)).pairs.height == 1


def test_no_cut_response_is_taken_over_a_finished_one_of_like_length(
    world: Callable[..., Any],
) -> None:
    said = {"p": [("a" * 9, 9.0), ("b" * 10, 5.0), ("c" * 10, 4.0), ("d" * 10, 0.0)]}
    cut = ["p-1"]
    rules = Rules(match_length=0.0)
    assert _ids(world(said, cut=cut).make(rules)) == [("2", "3")]
    kept = Rules(match_length=0.0, truncated="keep")
    assert _ids(world(said, cut=cut).make(kept)) == [("1", "3")]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_widest_margins_are_those_of_brute_force(world: Callable[..., Any], seed: int) -> None:
    said, _ = answers(seed)
    made = world(said).make(Rules(match_length=0.25, match_within=1))
    found = {row["prompt_id"]: row["margin"] for row in made.pairs.iter_rows(named=True)}
    for prompt, rows in said.items():
        margins = [
            abs(one[1] - other[1])
            for one, other in combinations(rows, 2)
            if abs(len(one[0]) - len(other[0])) <= max(0.25 * max(len(one[0]), len(other[0])), 1)
        ]
        widest = max(margins, default=0.0)
        assert found.get(prompt) == (pytest.approx(widest) if widest else None), prompt
