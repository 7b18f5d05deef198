"""Rules asked of items: the first that matches names the drop and says what it saw."""

from __future__ import annotations

import polars as pl

from curation.rules.asked import ask
from curation.rules.filters import bind

ITEMS = pl.LazyFrame(
    {
        "chosen_score": [9.0, 1.0, 2.0, None, 9.5],
        "_score_ratio": [1.0, 1.5, 3.0, 4.0, 9.0],
        "_key": ["a", "b", "c", "d", "d"],
        "source_row": ["0", "1", "2", "3", "4"],
        "item": [0, 0, 0, 0, 0],
    }
)


def test_the_first_rule_that_matches_is_named_and_heard() -> None:
    rules = bind([{"score_ratio": 2.0}, {"low_chosen_score": 8.0}], "k")
    whole, dropped = ask(ITEMS, rules)
    said = ["score_ratio", "score_ratio", "low_chosen_score", None, None]
    assert whole["_rule"].to_list() == said
    assert whole.height == 5
    assert dropped["_detail"].to_list() == [
        "score_ratio 1.0, not above 2.0",
        "score_ratio 1.5, not above 2.0",
        "chosen_score 2.0, under 8.0",
    ]


def test_a_rule_that_looks_at_others_sees_only_those_still_alive() -> None:
    whole, dropped = ask(ITEMS, bind(["duplicate"], "k"))
    assert whole["_rule"].to_list() == [None, None, None, None, "duplicate"]
    assert dropped["_detail"].to_list() == ["same id d"]
    alive, _ = ask(ITEMS, bind([{"score_ratio": 4.0}, "duplicate"], "k"))
    assert alive["_rule"].to_list()[3:] == ["score_ratio", None]


def test_no_rule_drops_nothing() -> None:
    whole, dropped = ask(ITEMS, [])
    assert (whole["_rule"].null_count(), dropped.height) == (5, 0)
