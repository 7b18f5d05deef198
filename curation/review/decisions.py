"""Decisions of reviewers about comparisons: an append-only table, and what it settles.

A comparison is known by the hash of its texts, so a decision outlives a re-run of the sampler, a
new judge and another pairing strategy, as long as the same two texts stand against each other.
"""

from __future__ import annotations

import polars as pl

from curation.core.errors import UserError
from curation.core.schema import Column, Table

DECISIONS = ("accept", "flip", "drop", "withdraw")

REVIEWS = Table(
    "reviews",
    "One decision of one reviewer about one comparison.",
    ("pair_id", "reviewer", "decided_at"),
    (
        Column("pair_id", pl.String, "The pair as it stood when it was shown."),
        Column("other_id", pl.String, "Id of the same comparison the other way round."),
        Column("prompt_id", pl.String, "The prompt of the pair."),
        Column("reviewer", pl.String, "Who decided."),
        Column("decided_at", pl.String, "When, in UTC, as ISO 8601 with microseconds."),
        Column("decision", pl.String, "accept, flip, drop, or withdraw an earlier decision."),
        Column("note", pl.String, "What the reviewer wrote about it; may be empty."),
    ),
)
"""Not a table that the build makes: people write it, and the pair stage reads it."""


def checked(decisions: pl.DataFrame, where: str) -> pl.DataFrame:
    """The decisions themselves.

    Raises:
        UserError: a decision is none of `DECISIONS`; the message says where it was read.
    """
    odd = decisions.filter(~pl.col("decision").is_in(DECISIONS))
    if odd.height:
        row = odd.row(0, named=True)
        raise UserError(
            f"{where}: pair {row['pair_id']} has the decision {row['decision']!r}; "
            f"known: {', '.join(DECISIONS)}"
        )
    return decisions


def latest(decisions: pl.DataFrame) -> pl.DataFrame:
    """The last word of each reviewer on each comparison, withdrawn ones left out.

    Returns:
        The columns of `REVIEWS`, and comparison (the smaller of its two ids) and says (the pair_id
        the reviewer prefers, or drop), sorted by comparison and reviewer.
    """
    said = (
        pl.when(pl.col("decision") == "accept")
        .then("pair_id")
        .when(pl.col("decision") == "flip")
        .then("other_id")
        .otherwise("decision")
    )
    return (
        decisions.with_columns(comparison=pl.min_horizontal("pair_id", "other_id"), says=said)
        .sort("comparison", "reviewer", "decided_at")
        .unique(["comparison", "reviewer"], keep="last", maintain_order=True)
        .filter(pl.col("decision") != "withdraw")
    )


def settled(decisions: pl.DataFrame) -> pl.DataFrame:
    """What reviewers settled: the answer with most votes; where the most votes tie, nothing.

    Returns:
        pair_id (the smaller id), other_id, verdict (the pair_id that is preferred, or drop), votes,
        of (votes cast), detail (who and when, for the ledger), sorted by pair_id.
    """
    votes = (
        latest(decisions)
        .group_by("comparison", "says")
        .agg(
            other_id=pl.max_horizontal("pair_id", "other_id").first(),
            votes=pl.len().cast(pl.Int64),
            who=pl.col("reviewer").sort().str.join(", "),
            when=pl.col("decided_at").max(),
            note=pl.col("note").sort_by("reviewer").filter(pl.col("note") != "").first(),
        )
        .with_columns(
            of=pl.col("votes").sum().over("comparison"),
            most=pl.col("votes").max().over("comparison"),
        )
        .filter(pl.col("votes") == pl.col("most"))
        .filter(pl.len().over("comparison") == 1)
    )
    told = pl.format("{} of {} reviewers ({}), last {}", "votes", "of", "who", "when")
    noted = pl.when(pl.col("note").is_null()).then(told).otherwise(told + ": " + pl.col("note"))
    return votes.select(
        "other_id", "votes", "of", pair_id="comparison", verdict="says", detail=noted
    ).sort("pair_id")


def disputed(decisions: pl.DataFrame) -> int:
    """Comparisons whose votes tie, which therefore stay as the judge ordered them."""
    return int(latest(decisions)["comparison"].n_unique()) - settled(decisions).height


def decided_ids(decisions: pl.DataFrame, reviewer: str | None = None) -> list[str]:
    """Ids, both ways round, of every comparison decided by this reviewer, or by anyone."""
    rows = latest(decisions)
    if reviewer is not None:
        rows = rows.filter(pl.col("reviewer") == reviewer)
    return pl.concat([rows["pair_id"], rows["other_id"]]).unique().sort().to_list()
