"""One pair at a time, blind to which side is chosen; the decision and what it was against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb
import polars as pl

from curation.audit.report.browser import marked, visible
from curation.review import queue
from curation.review.agreement import agreement
from curation.review.decisions import decided_ids, latest
from curation.review.sides import Sides, look, one
from curation.ui.build import Build

RECENT = 8


@dataclass(frozen=True)
class Card:
    """The pair to decide: nothing here tells which side is chosen."""

    pair_id: str
    iteration: str
    because: str
    prompt: list[tuple[str, str]]
    a: list[tuple[bool, str]]
    b: list[tuple[bool, str]]


@dataclass(frozen=True)
class Screen:
    """What the review page shows to one reviewer."""

    card: Card | None
    waiting: int
    decided: int
    recent: list[dict[str, str]]
    agreement: dict[str, Any]


@dataclass(frozen=True)
class Queue:
    """Whose queue, of which iteration (empty: all), and how many of its first pairs to skip."""

    reviewer: str
    iteration: str = ""
    skip: int = 0


def screen(
    con: duckdb.DuckDBPyConnection, rows: pl.DataFrame, asked: Queue, reasons: pl.DataFrame
) -> Screen:
    """The next pair of a reviewer's queue, and how far the reviewer has come.

    Args:
        con: the open build.
        rows: every decision.
        asked: whose queue.
        reasons: every pair with its reasons, as `queue.reasons` gives them.
    """
    reviewer, skip = asked.reviewer, asked.skip
    done = decided_ids(rows, reviewer)
    wanted = asked.iteration or None
    found = queue.ranked(reasons, iteration=wanted, done=done, limit=skip + 1)
    waiting = int(found["waiting"][0]) if found.height else 0
    card = None
    if found.height:
        row = found.row(min(skip, found.height - 1), named=True)
        (pair, *_) = look(con, [row["pair_id"]], reviewer)
        card = _card(pair, queue.because(row))
    own = latest(rows).filter(pl.col("reviewer") == reviewer)
    recent = own.sort("decided_at", descending=True).head(RECENT)
    return Screen(card, waiting, own.height, recent.to_dicts(), agreement(rows))


def _card(pair: Sides, because: str) -> Card:
    left, right = marked(pair.a, pair.b)
    prompt = [(turn["role"], visible(turn["content"])) for turn in pair.prompt]
    return Card(pair.pair_id, pair.iteration, because, prompt, left, right)


def decide(build: Build, pair_id: str, answer: str, reviewer: str, note: str) -> None:
    """Record an answer (a, b or drop), or withdraw the reviewer's earlier one.

    Raises:
        UserError: the pair is not in the build, the answer is unknown, the name is not usable.
    """
    if answer == "withdraw":
        build.record(_withdrawn(build, pair_id, reviewer))
        return
    with build.open() as con:
        pair = one(con, pair_id, reviewer)
    build.record(pair.row(pair.decision(answer), reviewer, build.now(), note))


def _withdrawn(build: Build, pair_id: str, reviewer: str) -> pl.DataFrame:
    """The reviewer's last word on a pair, taken back; no row when there is none."""
    own = latest(build.decisions()).filter(
        pl.col("reviewer") == reviewer, pl.col("pair_id") == pair_id
    )
    return own.with_columns(decision=pl.lit("withdraw"), decided_at=pl.lit(build.now()))


def told(con: duckdb.DuckDBPyConnection, rows: pl.DataFrame, reviewer: str, pair_id: str) -> str:
    """What a decision just made was against: said only after it, so that it was made blind."""
    said = latest(rows).filter(pl.col("reviewer") == reviewer, pl.col("pair_id") == pair_id)
    pairs = look(con, [pair_id], reviewer)
    if not said.height or not pairs:
        return ""
    decision = said["decision"].item()
    better, worse = pairs[0].rewards
    judged = f"rewards {better:.3g} and {worse:.3g}, margin {pairs[0].margin:.3g}"
    words = {
        "accept": f"Accepted: the judge chose the same response ({judged}).",
        "flip": f"Flipped: the judge chose the other response ({judged}).",
        "drop": f"Dropped: it will stand in the rejects ({judged}).",
    }
    return words[decision]
