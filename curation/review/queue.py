"""Which pairs are worth a person's time, most first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import duckdb
import polars as pl


@dataclass(frozen=True)
class Weights:
    """How much each reason counts; each reason lies between 0 and 1.

    ``disagreement``: share of the judges whose raw reward prefers the rejected response;
    ``margin``: twice the chance that the label is wrong under Bradley-Terry, where one reward model
    of the build gave it, else 1 at the smallest of the iteration down to 0 at its median, as other
    judges' margins, and several judges' on one scale, are no logits; ``length``: 1 less the shorter
    over the longer response; ``flags``: whether any other flag stands on the pair.
    """

    disagreement: float = 0.40
    margin: float = 0.35
    length: float = 0.15
    flags: float = 0.10


def reasons(con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Every pair of a build with the reasons to look at it.

    Returns:
        iteration, pair_id, margin, flags, length_gap in characters, against, close, uneven, odd.
    """
    query = files("curation.review").joinpath("queue.sql").read_text("utf-8")
    frame: pl.DataFrame = con.sql(query).pl()
    return frame


def ranked(
    found: pl.DataFrame,
    *,
    iteration: str | None = None,
    done: Sequence[str] = (),
    limit: int = 50,
    weights: Weights | None = None,
) -> pl.DataFrame:
    """The pairs that most need a look, the most worthwhile first.

    Args:
        found: pairs as `reasons` gives them.
        iteration: only pairs of this one.
        done: pair ids to leave out, as `decisions.decided_ids` gives them.
        limit: at most this many rows.
        weights: how much each reason counts.

    Returns:
        The columns of `reasons`, worth, waiting (pairs left in all); ties by pair_id.
    """
    weight = weights or Weights()
    worth = (
        weight.disagreement * pl.col("against")
        + weight.margin * pl.col("close")
        + weight.length * pl.col("uneven")
        + weight.flags * pl.col("odd")
    )
    wanted = pl.lit(True) if iteration is None else pl.col("iteration") == iteration
    left = found.filter(wanted, ~pl.col("pair_id").is_in(list(done)))
    return (
        left.with_columns(worth=worth, waiting=pl.lit(left.height))
        .sort("worth", "pair_id", descending=[True, False])
        .head(limit)
    )


def because(row: dict[str, object]) -> str:
    """The reasons of one row in words, the strongest first; says nothing of which side won."""
    told = (
        ("against", "judges disagree"),
        ("close", "small margin"),
        ("uneven", "unequal lengths"),
    )
    strong = sorted(
        ((float(str(row[key])), words) for key, words in told if float(str(row[key])) >= 0.5),
        reverse=True,
    )
    return ", ".join(words for _, words in strong) or "next in line"
