"""What people settled, applied to candidate pairs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from curation.core import ids
from curation.pairing.pairs import Made
from curation.pairing.rules import Rules

ANSWERS = {
    "p": [("aa", 1.0), ("bbbb", 3.0), ("c", -1.0)],
    "q": [("x", 0.5), ("yy", 0.25)],
    "r": [("u", 2.0), ("vvv", 0.0)],
}


def verdict(prompt: str, prefers: str, over: str, what: str = "prefer") -> pl.DataFrame:
    """A verdict on two texts, in the form `settled` gives."""
    sides = {"prompt": ("user", f"ask {prompt}"), "a": ("assistant", prefers)}
    sides["b"] = ("assistant", over)
    frame = pl.DataFrame({k: [[{"role": r, "content": t}]] for k, (r, t) in sides.items()})
    one, other = (ids.pair_id(pl.col("prompt"), pl.col(a), pl.col(b)) for a, b in ("ab", "ba"))
    found = frame.select(one=one, other=other)
    first, second = found.row(0)
    said = first if what == "prefer" else what
    row = {"pair_id": min(first, second), "other_id": max(first, second)}
    return pl.DataFrame([{**row, "verdict": said, "detail": "1 of 1 reviewers (ann)"}])


def pair(made: Made, prompt: str) -> dict[str, Any]:
    return made.pairs.filter(prompt_id=prompt).row(0, named=True)


def test_a_flip_swaps_every_column_of_the_sides(world: Callable[..., Any]) -> None:
    plain, made = (
        world(ANSWERS).make(Rules(), said) for said in (None, verdict("q", prefers="yy", over="x"))
    )
    before, after = pair(plain, "q"), pair(made, "q")
    for name, value in before.items():
        side, _, rest = name.partition("_")
        other = {"chosen": "rejected", "rejected": "chosen"}.get(side)
        if other is not None:
            assert after[f"{other}_{rest}" if rest else other] == value
    assert after["margin"] == -before["margin"] == -0.25
    assert after["pair_id"] != before["pair_id"]
    assert after["flags"] == ["review_flipped", "small_margin"]
    assert pair(made, "p") == pair(plain, "p")


def test_the_flipped_pair_has_the_id_of_its_texts(world: Callable[..., Any]) -> None:
    made = world(ANSWERS).make(Rules(), verdict("q", prefers="yy", over="x"))
    own = made.pairs.select(ids.pair_id(pl.col("prompt"), pl.col("chosen"), pl.col("rejected")))
    assert own.to_series().to_list() == made.pairs["pair_id"].to_list()


def test_a_drop_moves_the_pair_to_the_ledger(world: Callable[..., Any]) -> None:
    made = world(ANSWERS).make(Rules(), verdict("q", "x", "yy", what="drop"))
    assert made.pairs["prompt_id"].sort().to_list() == ["p", "r"]
    gone = made.rejects.row(0, named=True)
    assert (gone["item_id"], gone["rule"]) == ("q", "review_drop")
    assert gone["detail"] == "1 of 1 reviewers (ann)"
    assert made.metrics["rules"] == {"review_drop": 1}


def test_an_accepted_pair_is_marked_and_nothing_else(world: Callable[..., Any]) -> None:
    plain, made = (
        world(ANSWERS).make(Rules(), said) for said in (None, verdict("r", prefers="u", over="vvv"))
    )
    assert pair(made, "r")["flags"] == ["length_gap", "review_accepted"]
    assert made.pairs.drop("flags").equals(plain.pairs.drop("flags"))


@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_a_verdict_holds_whichever_way_the_judge_orders_the_pair(
    world: Callable[..., Any], penalty: float
) -> None:
    made = world(ANSWERS).make(Rules(length_penalty=penalty), verdict("r", "vvv", "u"))
    assert pair(made, "r")["chosen"][0]["content"] == "vvv"


def test_other_texts_are_not_touched(world: Callable[..., Any]) -> None:
    plain, made = (
        world(ANSWERS).make(Rules(), said) for said in (None, verdict("p", "aa", "bbbb"))
    )
    assert made.pairs.equals(plain.pairs)


def test_two_candidates_that_become_one_pair_are_one_pair(world: Callable[..., Any]) -> None:
    """x over y twice, once each way round: the verdict makes both the same comparison."""
    answers = {"p": [("x", 4.0), ("y", 3.0), ("y", 2.0), ("x", 1.0)]}
    rules = Rules(strategy="top_k_bottom_k", top_k=2, max_per_prompt=4)
    made = world(answers).make(rules, verdict("p", "y", "x"))
    assert [row["chosen"][0]["content"] for row in made.pairs.to_dicts()] == ["y"]
    assert "duplicate_pair" in made.metrics["rules"]
