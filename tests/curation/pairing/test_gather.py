"""What was sampled travels from the generations into pairs and history, side by side with text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from curation.core.schema import HISTORY
from curation.pairing.cut import Tables
from curation.pairing.history import Keep, grow
from curation.pairing.pairs import make
from curation.pairing.rules import Rules

ANSWERS = {"p": [("a", 3.0), ("b", 1.0)], "q": [("x", 1.0), ("y", 2.0)]}
IDS = {"p-0": [7, 8, 2], "p-1": [9, 2], "q-0": [], "q-1": [5, 6]}


def sampled(world: Callable[..., Any], **changes: pl.Expr) -> Any:
    """Pairs of a small iteration; q-0 was imported as text."""
    whole = world(ANSWERS)
    ids = pl.col("generation_id").replace_strict(IDS, return_dtype=pl.List(pl.Int64))
    sha = pl.when(pl.col("generation_id") != "q-0").then(pl.lit("t"))
    drawn = whole.generations.with_columns(token_ids=ids, template_sha=sha).with_columns(**changes)
    tables = (drawn.lazy(), whole.scores.lazy(), whole.prompts.lazy())
    return lambda verdicts=None: make(Tables(*tables, "iter1", verdicts), Rules())


COLUMNS = ["prompt_id", "chosen_token_ids", "rejected_token_ids", "template_sha"]


def test_ids_travel_with_their_texts(world: Callable[..., Any]) -> None:
    pairs = sampled(world)().pairs
    rows = {("p", (7, 8, 2), (9, 2), "t"), ("q", (5, 6), None, "t")}
    assert told(pairs) == rows
    grown = grow(HISTORY.empty(), pairs, ["iter1"], Keep())
    assert told(grown.history) == rows


def test_a_pair_that_people_turn_round_keeps_ids_with_texts(world: Callable[..., Any]) -> None:
    made = sampled(world)
    pairs = made().pairs.filter(prompt_id="p")
    turned = pl.DataFrame(
        {"pair_id": [pairs["pair_id"][0]], "other_id": ["x" * 24], "verdict": ["x" * 24],
         "detail": ["both said so"]}
    )  # fmt: skip
    after = made(turned).pairs.filter(prompt_id="p")
    assert after["chosen"][0][0]["content"] == "b"
    assert told(after) == {("p", (9, 2), (7, 8, 2), "t")}


def test_a_side_of_another_tokenizer_is_text(world: Callable[..., Any]) -> None:
    other = pl.when(pl.col("generation_id") == "p-1").then(pl.lit("u")).otherwise("template_sha")
    pairs = sampled(world, template_sha=other)().pairs
    assert ("p", (7, 8, 2), None, "t") in told(pairs)


def told(frame: pl.DataFrame) -> set[tuple[Any, ...]]:
    return {
        tuple(tuple(one) if isinstance(one, list) else one for one in row)
        for row in frame.select(COLUMNS).rows()
    }
