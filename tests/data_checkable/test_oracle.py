"""The checkable set: what its program says of responses, and that the set is what it claims."""

from __future__ import annotations

import inspect
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from data.checkable import oracle
from data.checkable.constraints import KINDS
from training.judges.oracle import Oracle

FOLDER = Path(__file__).parents[2] / "data" / "checkable"


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / name).read_text("utf-8").splitlines()]


@pytest.fixture
def both() -> dict[str, Any]:
    """A row that asks for one sentence and for a fact."""
    made = (*rows("train.jsonl"), *rows("held_out.jsonl"))
    return next(row for row in made if row["kind"] == "one_sentence" and row["answers"])


def test_format_and_fact_are_judged_apart_and_together(both: dict[str, Any]) -> None:
    right = both["answers"][0][0]
    assert oracle.verdict(both["prompt"], f"It is {right}.") == {
        "kind": "one_sentence",
        "parts": {"format": True, "fact": True},
        "reward": 1.0,
    }
    assert oracle.verdict(both["prompt"], f"Well. It is {right}.")["reward"] == 0.0
    assert oracle.reward(both["prompt"], f"Well. It is {right}.") == 0.5
    assert oracle.reward(both["prompt"], "I do not know. Sorry.") == 0.0
    assert oracle.reward(both["prompt"], "") == 0.0


def test_a_prompt_of_another_set_has_no_verdict() -> None:
    (verdict,) = Oracle(FOLDER, "verdict").judge([([{"role": "user", "content": "hi"}], "a")])
    assert verdict.reward is None
    assert verdict.reason == "oracle: 'not a prompt of the checkable set'"


def test_the_set_is_large_and_its_topics_and_some_kinds_are_apart() -> None:
    train, held_out = rows("train.jsonl"), rows("held_out.jsonl")
    assert len(train) + len(held_out) >= 300
    assert len(held_out) >= 150
    assert len({row["prompt"].lower() for row in (*train, *held_out)}) == len(train) + len(held_out)
    assert not {row["topic"] for row in train} & {row["topic"] for row in held_out}
    seen, unseen = ({row["kind"] for row in some} for some in (train, held_out))
    assert len(seen - {"fact"}) >= 12
    assert len(unseen - seen) >= 4
    assert seen - {"fact"} < unseen


@pytest.mark.parametrize("name", ["train.jsonl", "held_out.jsonl"])
def test_every_row_can_be_judged(name: str) -> None:
    for row in rows(name):
        assert set(row) == {"id", "topic", "kind", "arguments", "answers", "prompt"}
        assert row["kind"] in {*KINDS, "fact"}
        assert (row["kind"] == "fact") <= bool(row["answers"])
        if row["kind"] != "fact":
            inspect.signature(KINDS[row["kind"]]).bind("text", **row["arguments"])
        assert oracle.verdict(row["prompt"], "zzz")["parts"], row["id"]
        assert all(wordings for wordings in row["answers"])


def test_no_kind_is_more_than_a_seventh_of_its_half() -> None:
    for name in ("train.jsonl", "held_out.jsonl"):
        counts = Counter(row["kind"] for row in rows(name))
        assert max(counts.values()) <= sum(counts.values()) / 7


def test_an_answer_that_repeats_the_prompt_says_no_fact() -> None:
    """A fact that the question itself gives away would be right by copying."""
    given = [
        row["id"]
        for row in (*rows("train.jsonl"), *rows("held_out.jsonl"))
        if row["answers"] and oracle.verdict(row["prompt"], row["prompt"])["parts"]["fact"]
    ]
    assert given == []
