"""What reviewers said: the last word counts, most votes win, a tie settles nothing."""

from __future__ import annotations

import polars as pl
import pytest

from curation.core.errors import UserError
from curation.review.agreement import agreement, alpha, kappa
from curation.review.decisions import REVIEWS, checked, decided_ids, disputed, latest, settled

Said = tuple[str, str, str, int]


def said(*rows: Said) -> pl.DataFrame:
    """(pair, reviewer, decision, minute) -> decisions; a pair ab is ba the other way round."""
    made = [
        (pair, pair[::-1], "p", who, f"2026-01-01T00:{at:02}:00.000000Z", what, "")
        for pair, who, what, at in rows
    ]
    return pl.DataFrame(made, schema=REVIEWS.polars, orient="row")


def verdicts(rows: pl.DataFrame) -> dict[str, str]:
    return dict(settled(rows).select("pair_id", "verdict").rows())


def test_the_last_word_of_a_reviewer_counts() -> None:
    rows = said(("ab", "ann", "flip", 1), ("ab", "ann", "accept", 3), ("ab", "ann", "drop", 2))
    assert verdicts(rows) == {"ab": "ab"}


def test_a_withdrawn_decision_settles_nothing() -> None:
    rows = said(("ab", "ann", "flip", 1), ("ab", "ann", "withdraw", 2))
    assert verdicts(rows) == {}
    assert decided_ids(rows) == []


def test_flip_and_accept_of_the_turned_pair_are_one_answer() -> None:
    rows = said(("ab", "ann", "flip", 1), ("ba", "bob", "accept", 2))
    assert verdicts(rows) == {"ab": "ba"}
    assert settled(rows)["votes"].to_list() == [2]
    assert decided_ids(rows, "bob") == ["ab", "ba"]


def test_most_votes_win_and_ties_stay_with_the_judge() -> None:
    rows = said(
        ("ab", "ann", "flip", 1), ("ab", "bob", "flip", 1), ("ab", "cy", "drop", 1),
        ("cd", "ann", "flip", 1), ("cd", "bob", "accept", 1),
    )  # fmt: skip
    assert verdicts(rows) == {"ab": "ba"}
    assert disputed(rows) == 1
    assert settled(rows)["detail"].item().startswith("2 of 3 reviewers (ann, bob), last 2026-01-01")


def test_an_unknown_decision_is_named() -> None:
    with pytest.raises(UserError, match=r"x\.parquet: pair ab has the decision 'maybe'"):
        checked(said(("ab", "ann", "maybe", 1)), "x.parquet")


def test_alpha_is_that_of_the_published_example() -> None:
    """Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", section C: 0.743."""
    observers = ["123321412...", "1233224125.3", ".3332342251.", "1233244125 1."]
    columns = zip(*(row.replace(" ", "") for row in observers), strict=True)
    units = [[label for label in unit if label != "."] for unit in columns]
    assert alpha(units) == pytest.approx(0.743, abs=0.0005)


def test_kappa_of_a_known_table() -> None:
    both = [("y", "y")] * 20 + [("n", "n")] * 15 + [("y", "n")] * 5 + [("n", "y")] * 10
    assert kappa(both) == pytest.approx(0.4)
    assert kappa([("y", "y")] * 5) is None


def test_agreement_does_not_depend_on_which_way_round_a_pair_stood() -> None:
    rows = said(
        ("ab", "ann", "accept", 1), ("ba", "bob", "flip", 1),
        ("cd", "ann", "flip", 1), ("dc", "bob", "accept", 1),
        ("ef", "ann", "drop", 1),
    )  # fmt: skip
    found = agreement(rows)
    assert (found["comparisons"], found["shared"], found["alpha"]) == (3, 2, 1.0)
    assert found["pairs"] == [{"a": "ann", "b": "bob", "shared": 2, "same": 1.0, "kappa": 1.0}]
    assert latest(rows).height == 5
