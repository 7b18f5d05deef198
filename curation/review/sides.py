"""Which response a reviewer sees first: fixed by hashes, blind to which one is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import duckdb
import polars as pl

from curation.core import ids
from curation.core.errors import UserError
from curation.core.statements import statement
from curation.review.decisions import REVIEWS

ANSWERS = ("a", "b", "drop")


@dataclass(frozen=True)
class Sides:
    """One pair as a reviewer sees it: two texts in an order that tells nothing.

    ``a_is_chosen`` is what the page must not show before the decision.
    """

    pair_id: str
    other_id: str
    prompt_id: str
    iteration: str
    prompt: list[dict[str, str]]
    a: str
    b: str
    a_is_chosen: bool
    rewards: tuple[float, float]
    margin: float
    strategy: str
    flags: list[str]

    def decision(self, answer: str) -> str:
        """The decision that an answer (a, b or drop) makes.

        Raises:
            UserError: the answer is none of these.
        """
        if answer not in ANSWERS:
            raise UserError(f"answer {answer!r}: give one of {', '.join(ANSWERS)}")
        if answer == "drop":
            return "drop"
        return "accept" if (answer == "a") == self.a_is_chosen else "flip"

    def row(self, decision: str, reviewer: str, decided_at: str, note: str = "") -> pl.DataFrame:
        """The decision as one row of `REVIEWS`."""
        values = (
            self.pair_id, self.other_id, self.prompt_id, reviewer, decided_at, decision, note
        )  # fmt: skip
        return pl.DataFrame([values], schema=REVIEWS.polars, orient="row")


def look(con: duckdb.DuckDBPyConnection, pair_ids: list[str], reviewer: str = "") -> list[Sides]:
    """The pairs with these ids as the reviewer sees them, sorted by id; unknown ids give none.

    The same reviewer always sees a comparison the same way round, whichever side is chosen.
    """
    rows = con.sql(statement("curation.review", "pair"), params={"pairs": pair_ids}).pl()
    other = ids.pair_id(pl.col("prompt"), pl.col("rejected"), pl.col("chosen"))
    return [_sides(row, reviewer) for row in rows.with_columns(other_id=other).to_dicts()]


def one(con: duckdb.DuckDBPyConnection, pair_id: str, reviewer: str = "") -> Sides:
    """The pair with this id.

    Raises:
        UserError: the build has no such pair.
    """
    found = look(con, [pair_id], reviewer)
    if not found:
        raise UserError(
            f"pair {pair_id}: this build has no such pair; prefloop review queue lists pairs"
        )
    return found[0]


def _sides(row: dict[str, Any], reviewer: str) -> Sides:
    chosen, rejected = (row[side][-1]["content"] for side in ("chosen", "rejected"))
    a_is_chosen = (row["pair_id"] < row["other_id"]) != _coin(row, reviewer)
    return Sides(
        pair_id=row["pair_id"],
        other_id=row["other_id"],
        prompt_id=row["prompt_id"],
        iteration=row["iteration"],
        prompt=row["prompt"],
        a=chosen if a_is_chosen else rejected,
        b=rejected if a_is_chosen else chosen,
        a_is_chosen=a_is_chosen,
        rewards=(row["chosen_reward"], row["rejected_reward"]),
        margin=row["margin"],
        strategy=row["strategy"],
        flags=list(row["flags"]),
    )


def _coin(row: dict[str, Any], reviewer: str) -> bool:
    comparison = min(row["pair_id"], row["other_id"])
    return bool(blake2b(f"{reviewer}:{comparison}".encode(), digest_size=1).digest()[0] & 1)
