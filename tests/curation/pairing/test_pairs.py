"""Pairs: who is compared, what falls out under which rule, and that row order never matters."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.core.errors import UserError
from curation.pairing.pairs import Made
from curation.pairing.rules import Rules

ANSWERS = {"p": [("aa", 1.0), ("bbbb", 3.0), ("c", -1.0)], "q": [("x", 0.5), ("yy", 0.25)]}


def _sides(made: Made) -> set[tuple[str, str]]:
    return set(made.pairs.select("chosen_id", "rejected_id").rows())


def _rules(made: Made) -> dict[str, str]:
    return dict(made.rejects.select("item_id", "rule").rows())


def test_best_is_chosen_and_worst_rejected(world: Callable[..., Any]) -> None:
    made = world(ANSWERS).make(Rules())
    assert _sides(made) == {("p-1", "p-2"), ("q-0", "q-1")}
    row = made.pairs.filter(prompt_id="p").row(0, named=True)
    assert row["chosen"] == [{"role": "assistant", "content": "bbbb"}]
    assert row["prompt"] == [{"role": "user", "content": "ask p"}]
    assert (row["chosen_reward"], row["rejected_reward"], row["margin"]) == (3.0, -1.0, 4.0)
    assert (row["chosen_chars"], row["rejected_tokens"]) == (4, 2)
    assert row["strategy"] == "best_worst"


def test_length_penalty_reorders_by_the_adjusted_reward(world: Callable[..., Any]) -> None:
    made = world(ANSWERS).make(Rules(length_penalty=1.0))
    row = made.pairs.filter(prompt_id="q").row(0, named=True)
    assert (row["chosen_id"], row["chosen_reward"], row["chosen_adjusted"]) == ("q-0", 0.5, -0.5)
    p = made.pairs.filter(prompt_id="p").row(0, named=True)
    assert (p["chosen_adjusted"], p["rejected_adjusted"]) == (-1.0, -2.0)


def test_penalty_in_tokens(world: Callable[..., Any]) -> None:
    made = world(ANSWERS).make(Rules(length_penalty=1.0, length_unit="tokens"))
    assert made.pairs.filter(prompt_id="q")["chosen_adjusted"].item() == 0.5 - 2


def test_a_failed_score_takes_only_its_response_out(world: Callable[..., Any]) -> None:
    answers = {**ANSWERS, "p": [("aa", 1.0), ("bbbb", None), ("c", -1.0)]}
    made = world(answers).make(Rules())
    assert _sides(made) == {("p-0", "p-2"), ("q-0", "q-1")}
    assert _rules(made) == {"p-1": "failed_score"}
    assert made.rejects["detail"].item() == "rm: no number in the answer"
    assert '"generation_id":"p-1"' in made.rejects["payload"].item()


def test_a_score_row_that_is_missing_is_named(world: Callable[..., Any]) -> None:
    whole = world(ANSWERS)
    scores = whole.scores.filter(pl.col("generation_id") != "p-1")
    made = type(whole)(whole.generations, scores, whole.prompts).make(Rules())
    assert _rules(made) == {"p-1": "missing_score"}
    assert _sides(made) == {("p-0", "p-2"), ("q-0", "q-1")}


def test_prompts_without_two_scores_are_rejected(world: Callable[..., Any]) -> None:
    made = world({**ANSWERS, "r": [("a", None), ("b", 1.0)]}).make(Rules())
    assert _rules(made) == {"r-0": "failed_score", "r": "no_scores"}
    assert made.rejects.filter(item_id="r")["detail"].item() == "1 of 2 responses usable"
    assert made.rejects["source"].to_list() == ["toy", "toy"]


def test_identical_text_tie_and_margin_each_have_their_rule(world: Callable[..., Any]) -> None:
    extra = {
        "same": [("z", 2.0), ("z", 1.0)],
        "tied": [("m", 1.0), ("n", 1.0)],
        "near": [("m", 1.0), ("n", 0.9)],
    }
    made = world({**ANSWERS, **extra}).make(Rules(min_margin=0.2))
    assert _rules(made) == {"same": "identical_text", "tied": "tie", "near": "min_margin"}
    assert made.metrics["rules"] == {"identical_text": 1, "min_margin": 1, "tie": 1}
    assert made.metrics["yield"] == pytest.approx(2 / 5)


def test_a_cut_response_is_never_chosen_over_a_finished_one(world: Callable[..., Any]) -> None:
    answers = {"p": [("a", 3.0), ("b", 2.0), ("c", 1.0)], "q": [("x", 2.0), ("y", 1.0)]}
    made = world(answers, cut=["p-0", "q-0", "q-1"]).make(Rules())
    assert _rules(made) == {"p-0": "truncated"}
    assert _sides(made) == {("p-1", "p-2"), ("q-0", "q-1")}  # both cut: neither is finished
    cut = made.pairs.select("prompt_id", "chosen_cut", "rejected_cut")
    assert sorted(cut.rows()) == [("p", False, False), ("q", True, True)]
    kept = world(answers, cut=["p-0"]).make(Rules(truncated="keep"))
    assert _sides(kept) == {("p-0", "p-2"), ("q-0", "q-1")}


def test_a_cut_response_in_the_middle_is_chosen_over_none_that_finished(
    world: Callable[..., Any],
) -> None:
    answers = {"p": [("a", 3.0), ("b", 2.0), ("c", 1.0), ("d", 0.0)], "q": ANSWERS["q"]}
    rules = Rules(strategy="top_k_bottom_k", top_k=2, max_per_prompt=4)
    made = world(answers, cut=["p-1"]).make(rules)
    assert all(not cut for cut in made.pairs.filter(prompt_id="p")["chosen_cut"])
    assert "cut_chosen" in _rules(made).values()


def test_whether_a_cut_response_is_the_best_is_seen_under_the_automatic_penalty(
    world: Callable[..., Any],
) -> None:
    rising = [("a", 1.0), ("bb", 3.0), ("ccc", 2.0), ("dddd", 4.0)]
    answers = {
        "long": [("a", 1.0), ("bb", 3.0), ("ccc", 2.0), ("dddd", 3.5)],  # best only by its length
        "short": [("a", 2.5), ("dddd", 3.0), ("eeeee", 2.0)],  # best but for its length
        **{f"q{n}": rising for n in range(4)},
    }
    made = world(answers, cut=["long-3", "short-0"]).make(Rules(length_penalty="auto"))
    assert 0.5 < made.metrics["length_penalty"] < 0.8
    assert _rules(made) == {"short-0": "truncated"}
    sides = {one for one in _sides(made) if not one[0].startswith("q")}
    assert sides == {("long-1", "long-2"), ("short-1", "short-2")}


def test_truncated_responses_are_dropped_on_request(world: Callable[..., Any]) -> None:
    whole = world(ANSWERS, cut=["p-2", "q-0"])
    assert _rules(whole.make(Rules(truncated="keep"))) == {}
    made = whole.make(Rules(truncated="drop"))
    assert _rules(made) == {"p-2": "truncated", "q-0": "truncated", "q": "truncated"}
    assert _sides(made) == {("p-1", "p-0")}


def test_flags_name_oddities(world: Callable[..., Any]) -> None:
    made = world(
        {"p": [("aaaaaaa", 1.1), ("b", 1.0)], "q": [("x", 9.0), ("y", 1.0)]}, cut=["p-0"]
    ).make(Rules(truncated="keep"))
    flags = dict(made.pairs.select("prompt_id", "flags").rows())
    assert flags == {"p": ["length_gap", "small_margin", "truncated_chosen"], "q": []}


def test_penalty_that_turns_the_raw_order_is_flagged(world: Callable[..., Any]) -> None:
    made = world({"p": [("aaaaaaa", 1.1), ("b", 1.0)]}).make(Rules(length_penalty=1.0))
    assert made.pairs["chosen_id"].item() == "p-1"
    assert "penalty_flipped" in made.pairs["flags"].item()


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_rewards_that_are_no_numbers_are_refused(world: Callable[..., Any], bad: float) -> None:
    with pytest.raises(UserError, match=r"NaN or infinite, first p-0 of rm"):
        world({"p": [("a", bad), ("b", 1.0)]}).make(Rules())


def test_scores_of_strangers_are_refused(world: Callable[..., Any]) -> None:
    whole, other = world(ANSWERS), world({"z": [("a", 1.0), ("b", 2.0)]})
    scores = pl.concat([whole.scores, other.scores])
    with pytest.raises(UserError, match="2 rows judge responses that generations lacks, first z-0"):
        type(whole)(whole.generations, scores, whole.prompts).make(Rules())


def test_a_response_judged_twice_is_refused(world: Callable[..., Any]) -> None:
    whole = world(ANSWERS)
    scores = pl.concat([whole.scores, whole.scores.head(1)])
    with pytest.raises(UserError, match="rm judged p-0 twice"):
        type(whole)(whole.generations, scores, whole.prompts).make(Rules())


def test_a_response_stored_twice_is_refused(world: Callable[..., Any]) -> None:
    whole = world(ANSWERS)
    doubled = pl.concat([whole.generations, whole.generations.head(1)])
    with pytest.raises(UserError, match="generation_id p-0 occurs twice"):
        type(whole)(doubled, whole.scores, whole.prompts).make(Rules())


def test_an_unknown_prompt_is_refused(world: Callable[..., Any]) -> None:
    whole = world(ANSWERS)
    lacking = whole.prompts.filter(pl.col("prompt_id") != "q")
    with pytest.raises(UserError, match="lacks 1 prompts of the generations, first q"):
        type(whole)(whole.generations, whole.scores, lacking).make(Rules())


def test_no_pair_at_all_is_an_error_that_names_the_rules(world: Callable[..., Any]) -> None:
    with pytest.raises(UserError, match="iter1: no pair is left; dropped by rule: tie 1"):
        world({"p": [("a", 1.0), ("b", 1.0)]}).make(Rules())


def _bytes(made: Made) -> tuple[bytes, bytes, str]:
    tables = []
    for frame, key in ((made.pairs, ["pair_id"]), (made.rejects, ["stage", "item_id"])):
        buffer = io.BytesIO()
        frame.sort(key).write_parquet(buffer)
        tables.append(buffer.getvalue())
    return tables[0], tables[1], str(made.metrics)


@pytest.mark.parametrize("strategy", ["best_worst", "best_random", "random", "top_k_bottom_k"])
def test_shuffled_rows_give_the_same_bytes(world: Callable[..., Any], strategy: Any) -> None:
    answers = {
        f"p{i}": [(f"{'w' * (j * i % 7)} {i} {j}", float((i * j * 7) % 5)) for j in range(6)]
        for i in range(40)
    }
    whole = world(answers)
    rules = Rules(strategy=strategy, length_penalty="auto", max_per_prompt=3)
    first = _bytes(whole.make(rules))
    for seed in range(3):
        parts = (
            frame.sample(fraction=1, shuffle=True, seed=seed + i)
            for i, frame in enumerate((whole.generations, whole.scores, whole.prompts))
        )
        assert _bytes(type(whole)(*parts).make(rules)) == first


said = st.lists(
    st.tuples(st.sampled_from(["a", "b", "cc", "ddd"]), st.sampled_from([None, 0.0, 0.5, 1.0])),
    min_size=1,
    max_size=5,
)


@settings(deadline=None, max_examples=60)
@given(
    answers=st.lists(said, min_size=1, max_size=6),
    strategy=st.sampled_from(
        ["best_worst", "best_random", "best_second", "random", "top_k_bottom_k", "target_margin"]
    ),
    penalty=st.sampled_from([0.0, 0.3, "auto"]),
    most=st.sampled_from([None, 1, 3]),
)
def test_every_prompt_is_accounted_for(
    answers: list[Any], strategy: Any, penalty: Any, most: int | None
) -> None:
    from tests.curation.pairing.conftest import build  # hypothesis allows no function fixture

    whole = build({"sure": [("u", 5.0), ("v", 1.0)], **{f"p{i}": a for i, a in enumerate(answers)}})
    rules = Rules(strategy=strategy, length_penalty=penalty, max_per_prompt=most, min_margin=0.1)
    try:
        made = whole.make(rules)
    except UserError:
        return  # no pair is left: the only error that sound scores can give
    paired = set(made.pairs["prompt_id"])
    dropped = set(made.rejects["item_id"])
    assert paired | dropped >= set(whole.prompts["prompt_id"])
    assert made.pairs["pair_id"].is_unique().all()
    assert made.rejects["item_id"].is_unique().all()
    assert (made.pairs["chosen_adjusted"] > made.pairs["rejected_adjusted"]).all()
    assert (made.pairs["margin"] >= 0.1).all()
    assert (made.pairs["chosen"] != made.pairs["rejected"]).all()
