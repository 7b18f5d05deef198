"""Every strategy against the answer worked out by hand or by brute force."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import pytest

from curation.core.errors import UserError
from curation.pairing.pairs import Made
from curation.pairing.rules import Rules

FIVE = {"p": [("a", 0.0), ("b", 1.0), ("c", 2.5), ("d", 4.5), ("e", 7.0)]}


def _ids(made: Made) -> list[tuple[str, str]]:
    rows = made.pairs.select("chosen_id", "rejected_id").rows()
    return sorted((one[2:], other[2:]) for one, other in rows)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (Rules(), [("4", "0")]),
        (Rules(strategy="best_second"), [("4", "3")]),
        (Rules(strategy="target_margin", target_margin=2.4), [("4", "3")]),
        (Rules(strategy="target_margin", target_margin=1.1), [("1", "0")]),
        (
            Rules(strategy="top_k_bottom_k"),
            [("3", "0"), ("3", "1"), ("4", "0"), ("4", "1")],
        ),
        (Rules(strategy="top_k_bottom_k", max_per_prompt=1), [("4", "0")]),
        (Rules(strategy="top_k_bottom_k", top_k=1), [("4", "0")]),
        (Rules(strategy="top_k_bottom_k", top_k=9, max_per_prompt=2), [("4", "0"), ("4", "1")]),
    ],
)
def test_strategy_by_hand(
    world: Callable[..., Any], rules: Rules, expected: list[tuple[str, str]]
) -> None:
    assert _ids(world(FIVE).make(rules)) == expected


def test_best_random_compares_the_best_with_any_other(world: Callable[..., Any]) -> None:
    seen = set()
    for seed in range(40):
        ((better, worse),) = _ids(world(FIVE).make(Rules(strategy="best_random", seed=seed)))
        assert better == "4"
        seen.add(worse)
    assert seen == {"0", "1", "2", "3"}


def test_random_reaches_every_pair_and_orders_it_by_reward(world: Callable[..., Any]) -> None:
    seen = set()
    for seed in range(200):
        ((better, worse),) = _ids(world(FIVE).make(Rules(strategy="random", seed=seed)))
        assert better > worse
        seen.add((better, worse))
    assert len(seen) == 10


def test_random_choices_of_a_prompt_do_not_move_when_prompts_are_added(
    world: Callable[..., Any],
) -> None:
    rules = Rules(strategy="random", seed=5)
    alone = _ids(world(FIVE).make(rules))
    more = world({**FIVE, "o": FIVE["p"], "q": FIVE["p"]}).make(rules)
    ours = more.pairs.filter(prompt_id="p").select("chosen_id", "rejected_id").rows()
    assert [(one[2:], other[2:]) for one, other in ours] == alone


def test_several_random_pairs_are_different_pairs(world: Callable[..., Any]) -> None:
    made = world(FIVE).make(Rules(strategy="random", max_per_prompt=10))
    assert _ids(made) == sorted((j, i) for i, j in combinations("01234", 2))


def test_equal_texts_in_several_candidates_are_one_pair(world: Callable[..., Any]) -> None:
    made = world({"p": [("a", 0.0), ("a", 0.5), ("b", 2.0), ("b", 2.5)]}).make(
        Rules(strategy="top_k_bottom_k")
    )
    assert made.pairs.height == 1
    assert sorted(made.rejects["rule"]) == ["duplicate_pair"] * 3
    assert sorted(made.rejects["item_id"]) == ["p:1", "p:2", "p:3"]


def test_uncertainty_takes_the_pair_the_judges_differ_on_most(world: Callable[..., Any]) -> None:
    answers = {"p": [("a", 0.0), ("b", 1.0), ("c", 2.0)]}
    other = {"other": {"p": [0.0, 5.0, 2.0]}}
    made = world(answers, judges=other).make(Rules(strategy="uncertainty", scale="raw"))
    # margins (rm, other): b-a (1, 5) spread 2; c-a (2, 2) spread 0; b-c (-1, 3) spread 2
    # mean rewards a 0, b 3, c 2: the tie of spreads goes to the better ranked pair, b over c
    assert _ids(made) == [("1", "2")]


def test_uncertainty_keeps_to_the_minimum_margin(world: Callable[..., Any]) -> None:
    answers = {"p": [("a", 0.0), ("b", 1.0), ("c", 2.0)]}
    other = {"other": {"p": [0.0, 5.0, 2.0]}}
    made = world(answers, judges=other).make(
        Rules(strategy="uncertainty", scale="raw", min_margin=1.5)
    )
    assert _ids(made) == [("1", "0")]


def test_uncertainty_needs_two_judges(world: Callable[..., Any]) -> None:
    with pytest.raises(UserError, match="uncertainty needs the scores of at least 2 judges"):
        world(FIVE).make(Rules(strategy="uncertainty"))


@pytest.mark.parametrize(
    ("rules", "reward"),
    [
        (Rules(scale="raw"), 3.0),
        (Rules(scale="raw", judges={"rm": 3.0, "other": 1.0}), 2.0),
        (Rules(judges={"other": 1.0}), 5.0),  # one judge alone stays raw
        (Rules(scale="raw", combine="min"), 1.0),
        (Rules(scale="raw", combine="mean_minus_std", combine_k=0.5), 2.0),
        (Rules(), 1.0),  # two values are one deviation from their mean, whatever the units
        (Rules(scale="rank"), 1.0),
    ],
)
def test_judges_are_combined(world: Callable[..., Any], rules: Rules, reward: float) -> None:
    made = world({"p": [("a", 0.0), ("b", 1.0)]}, judges={"other": {"p": [0.0, 5.0]}}).make(rules)
    assert made.pairs["chosen_reward"].item() == pytest.approx(reward)


def test_a_judge_that_did_not_score_is_named(world: Callable[..., Any]) -> None:
    with pytest.raises(UserError, match="no row of judge nobody; the table holds rm"):
        world(FIVE).make(Rules(judges={"nobody": 1.0}))


def test_one_failed_judge_of_an_ensemble_takes_the_response_out(world: Callable[..., Any]) -> None:
    answers = {"p": [("a", 0.0), ("b", 1.0), ("c", 2.0)]}
    made = world(answers, judges={"other": {"p": [0.0, 5.0, None]}}).make(Rules())
    assert _ids(made) == [("1", "0")]
    assert made.rejects["item_id"].to_list() == ["p-2"]
