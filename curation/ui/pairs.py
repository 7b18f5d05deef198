"""The pairs of the full tables, filtered and paged by the database."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any

import duckdb

from curation.audit.connect import rows
from curation.audit.report.browser import Shown, show
from curation.core.errors import UserError

PAGE = 20

_LABELLED = "chosen_score, rejected_score, []::varchar[] as flags, annotator as made_by"
_SAMPLED = """chosen_reward as chosen_score, rejected_reward as rejected_score, flags,
    strategy as made_by"""
TABLES = {
    "pairs": ("Sampled pairs", "iteration", _SAMPLED),
    "preferences": ("Preferences by source", "source", _LABELLED),
    "mixes": ("Mixes", "mix", _LABELLED),
}
"""Table -> its title, the column that says where a pair is from, its own columns."""

ORDERS = {
    "id": ("by id (a hash)", "pair_id"),
    "margin": ("smallest margin first", "margin nulls last, pair_id"),
    "margin_down": ("largest margin first", "margin desc nulls last, pair_id"),
    "gap": ("largest length gap first", "abs(chosen_chars - rejected_chars) desc, pair_id"),
}


@dataclass(frozen=True)
class Filters:
    """What is asked for; empty texts ask for nothing."""

    table: str = "pairs"
    origin: str = ""
    flag: str = ""
    longer: str = ""
    low: str = ""
    high: str = ""
    text: str = ""
    order: str = "id"
    page: str = "1"


@dataclass(frozen=True)
class Page:
    """One page of pairs: how many there are in all, which page of how many."""

    pairs: list[Shown]
    found: int
    page: int
    pages: int
    origins: list[str]
    flags: list[str]


def page(con: duckdb.DuckDBPyConnection, want: Filters) -> Page:
    """The page that is asked for; the last one when it lies behind the end.

    Raises:
        UserError: a filter has a value that it cannot have.
    """
    if want.table not in TABLES or want.order not in ORDERS:
        raise UserError(f"no table {want.table} in the order {want.order}")
    _, origin, own = TABLES[want.table]
    where, values = _where(want, origin)
    source = f"from {want.table} where {where}"
    found = con.execute(f"select count(*) {source}", values).fetchall()[0][0]
    pages = max(1, -(-found // PAGE))
    number = min(max(1, _whole(want.page)), pages)
    picked = con.execute(
        f"select {origin}, pair_id {source} order by {ORDERS[want.order][1]} limit ? offset ?",
        [*values, PAGE, (number - 1) * PAGE],
    ).fetchall()
    texts = rows(
        con,
        f"select {origin} as origin, pair_id, prompt, chosen, rejected, margin, chosen_chars, "
        f"rejected_chars, {own} from {want.table} where pair_id in (select unnest(?::varchar[]))",
        [[pair for _, pair in picked]],
    )
    by_key = {(row["origin"], row["pair_id"]): row for row in texts}
    shown = [show(want.table, key[0], by_key[key]) for key in picked]
    return Page(shown, found, number, pages, _origins(con, want.table), _flags(con, want.table))


def _where(want: Filters, origin: str) -> tuple[str, list[Any]]:
    """Conditions with placeholders, and the values that stand in them."""
    tests: list[tuple[str, list[Any]]] = [("true", [])]
    if want.origin:
        tests.append((f"{origin} = ?", [want.origin]))
    if want.flag and want.table == "pairs":
        tests.append(("list_contains(flags, ?)", [want.flag]))
    if want.longer:
        sign = ">" if want.longer == "chosen" else "<"
        tests.append((f"chosen_chars {sign} rejected_chars", []))
    if want.low:
        tests.append(("margin >= ?", [_number(want.low)]))
    if want.high:
        tests.append(("margin <= ?", [_number(want.high)]))
    if want.text:
        sides = ("last_text(prompt)", "last_text(chosen)", "last_text(rejected)")
        found = " or ".join(f"contains(lower({side}), lower(?))" for side in sides)
        tests.append((f"(starts_with(pair_id, ?) or {found})", [want.text] * 4))
    return " and ".join(test for test, _ in tests), [one for _, given in tests for one in given]


def _origins(con: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    column = TABLES[table][1]
    found = con.execute(f"select distinct {column} from {table} order by 1").fetchall()
    return [row[0] for row in found]


def _flags(con: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    if table != "pairs":
        return []
    found = con.execute("select distinct unnest(flags) as flag from pairs order by 1").fetchall()
    return [row[0] for row in found]


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise UserError(f"margin {text}: not a number")
    return value


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 1
