"""`prefloop why ID`: the life of one row, from its native row to the training rows it became."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from curation.audit.connect import open_build, rows
from curation.audit.why_steps import ORDER, steps
from curation.core.errors import UserError
from curation.core.statements import statement

SHORTEST = 6  # characters of an id that may stand for the whole of it

_KINDS = ("pair", "generation", "example", "prompt", "row", "reject")  # the likelier meant first


@dataclass(frozen=True)
class Step:
    """One thing that happened to a row: where, what came of it, and the particulars."""

    stage: str
    verdict: str
    item: str
    detail: str


@dataclass(frozen=True)
class Life:
    """What an id is and everything that happened to it, in the order of the graph."""

    kind: str
    id: str
    steps: list[Step]
    texts: list[tuple[str, str]] = field(default_factory=list)


def explain(data: Path, wanted: str) -> Life:
    """Follow an id (or a unique beginning of one) through every table of the build.

    Args:
        data: the build's folder.
        wanted: a pair, prompt, generation, example or source-row id, or a reject's item id.

    Raises:
        UserError: no table holds the id, or its beginning fits several.
    """
    con = open_build(data)
    try:
        kind, found = _resolve(con, wanted)
        ids = _related(con, kind, found)
        taken = [Step(**row) for query in steps() for row in rows(con, query, _lists(query, ids))]
        return Life(kind, found, sorted(taken, key=_place), _texts(con, ids))
    finally:
        con.close()


def _place(step: Step) -> int:
    """Where a step's stage stands in the graph: drops come from a query of their own."""
    stage = step.stage.partition("@")[0]
    return ORDER.index(stage) if stage in ORDER else len(ORDER)


def _resolve(con: duckdb.DuckDBPyConnection, wanted: str) -> tuple[str, str]:
    """The one id that is, or begins with, the wanted text."""
    if len(wanted) < SHORTEST:
        raise UserError(f"{wanted}: too short; give at least {SHORTEST} characters of an id")
    found = {
        (row["id"], row["kind"])
        for name in ("known", "known_rejects")
        for row in rows(con, _statement(name), {"id": wanted})
    }
    fits = sorted(found, key=lambda pair: (_KINDS.index(pair[1]), pair[0]))
    exact = [pair for pair in fits if pair[0] == wanted]
    begins = exact or [pair for pair in fits if _begins(pair[0], wanted)]
    if not begins:
        raise UserError(f"{wanted}: no table of this build holds this id; is the build up to date?")
    names = sorted({pair[0] for pair in begins})
    if len(names) > 1:
        some = ", ".join(names[:3])
        raise UserError(f"{wanted}: fits {len(names)} ids ({some}, ...); give more characters")
    return begins[0][1], begins[0][0]


def _begins(whole: str, wanted: str) -> bool:
    """An id of one native row is meant before one of several joined by +."""
    return whole.startswith(wanted) and ("+" in wanted or "+" not in whole)


def _related(con: duckdb.DuckDBPyConnection, kind: str, start: str) -> dict[str, set[str]]:
    """Ids that the start leads to: its own links, and what those come from.

    Other items of a native row on the way are not part of this life; they are the row's own. A
    pair that a reviewer turned round goes on under its other id.
    """
    ids: dict[str, set[str]] = {name: set() for name in _KINDS}
    ids[kind].add(start)
    frontier = [(kind, start)]
    while frontier:
        here, found = frontier.pop()
        for row in rows(con, _statement(f"links_{here}"), {"id": found}):
            upstream = _upstream(here, row["kind"])
            if row["id"] in ids[row["kind"]] or not (upstream or here == kind):
                continue
            ids[row["kind"]].add(row["id"])
            turned = here == kind == row["kind"] == "pair"
            if (
                upstream or turned or here == "reject"
            ):  # what a mix or the pool dropped has a life before it
                frontier.append((row["kind"], row["id"]))
    return ids


def _upstream(here: str, there: str) -> bool:
    """Whether a link leads towards where a row came from."""
    rank = {"row": 0, "reject": 0, "prompt": 1, "example": 1, "generation": 2, "pair": 3}
    return rank[there] < rank[here]


def _lists(query: str, ids: dict[str, set[str]]) -> dict[str, Any]:
    """The lists of ids that a query names: DuckDB refuses parameters it does not use."""
    return {f"{kind}s": sorted(found) for kind, found in ids.items() if f"${kind}s" in query}


def _statement(name: str) -> str:
    return statement("curation.audit", f"why/{name}")


def _texts(con: duckdb.DuckDBPyConnection, ids: dict[str, set[str]]) -> list[tuple[str, str]]:
    """The texts of one pair, or what was dropped; none where several pairs are found."""
    pairs = rows(con, _statement("texts"), {"pairs": sorted(ids["pair"])})
    if len(pairs) == 1:
        (row,) = pairs
        return [(name, _joined(row[name])) for name in ("prompt", "chosen", "rejected")]
    found = rows(con, _statement("dropped"), {"rejects": sorted(ids["reject"])})
    return [(f"dropped {row['item_id']}", _pretty(row["payload"])) for row in found]


def _joined(messages: Iterable[dict[str, str]]) -> str:
    return "\n".join(f"{message['role']}: {message['content']}" for message in messages)


def _pretty(payload: str) -> str:
    try:
        return json.dumps(json.loads(payload), indent=1, ensure_ascii=False)
    except ValueError:
        return payload  # a line that could not be parsed is kept as it was
