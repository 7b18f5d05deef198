"""SQL over the build: a query, its rows as text, and a chart of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import duckdb
import polars as pl

from curation.audit import sql
from curation.audit.report.browser import visible
from curation.audit.report.charts import Figure
from curation.core.errors import UserError
from curation.core.statements import statement
from curation.ui.build import Build
from curation.ui.chart import KINDS, draw

ROWS = 500  # rows of an answer that are shown; the download has them all
BYTES = 256 * 2**20  # of an answer
CELL = 400  # characters of a cell that are shown
FIRST = "select source, count(*) as pairs, round(avg(margin), 3) as margin\nfrom preferences\n" + (
    "group by source\norder by pairs desc"
)

_COLUMNS = statement("curation.ui", "columns")


@dataclass(frozen=True)
class Answer:
    """What one query gave: column names, whether each is a number, cells as text, the chart."""

    names: list[str]
    numeric: list[bool]
    cells: list[list[str]]
    more: bool
    chart: Figure | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Query:
    """One query and the chart that is wanted of it."""

    query: str
    kind: str = ""
    x: str = ""
    y: str = ""
    colour: str = ""
    shipped: list[sql.Shipped] = field(default_factory=sql.shipped)
    kinds: tuple[str, ...] = KINDS


def asked(given: dict[str, str]) -> Query:
    """The query of a request: its text, a shipped query's, or one to begin with.

    Raises:
        UserError: no shipped query has this name.
    """
    name = given.get("name", "")
    query = sql.named(name).text if name else given.get("q", FIRST)
    kind, x, y, colour = (given.get(key, "") for key in ("kind", "x", "y", "colour"))
    return Query(query.replace("\r\n", "\n"), kind, x, y, colour)


def answer(build: Build, wanted: Query) -> Answer:
    """Run the query and draw the chart that is wanted; bad input comes back as the problem."""
    try:
        with build.open() as con:
            frame = sql.answer(con, wanted.query, ROWS + 1, BYTES)
    except UserError as error:
        return Answer([], [], [], False, problem=str(error))
    shown = frame.head(ROWS)
    chart, problem = None, None
    if wanted.kind:
        try:
            chart = draw(shown, wanted.kind, wanted.x, wanted.y, wanted.colour)
        except UserError as error:
            problem = str(error)
    return Answer(
        names=frame.columns,
        numeric=[dtype.is_numeric() for dtype in frame.dtypes],
        cells=[[cell(value) for value in row] for row in shown.iter_rows()],
        more=frame.height > ROWS,
        chart=chart,
        problem=problem,
    )


def whole(build: Build, query: str) -> pl.DataFrame:
    """Every row of the answer, lists and structs as JSON.

    Raises:
        UserError: the query is not one SELECT over the build.
    """
    with build.open() as con:
        frame = sql.answer(con, query, most=BYTES)
    nested = [name for name, dtype in frame.schema.items() if dtype.is_nested()]
    texts = [
        pl.Series(name, [_json(value) for value in frame[name]], dtype=pl.String) for name in nested
    ]
    return frame.with_columns(texts)


def tables(con: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[str, str]]]:
    """Every view with its columns and their types."""
    found: dict[str, list[tuple[str, str]]] = {}
    for table, column, kind in con.execute(_COLUMNS).fetchall():
        short = "messages" if kind.startswith("STRUCT(role") else kind.lower()
        found.setdefault(table, []).append((column, short))
    return found


def cell(value: Any) -> str:
    """A value as text that shows what it is: no control characters, cut where it is long."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.6g}"
    if isinstance(value, list | dict):
        value = _json(value)
    text = visible(str(value))
    return text if len(text) <= CELL else f"{text[:CELL]}…"


def _json(value: Any) -> str | None:
    if isinstance(value, pl.Series):
        value = value.to_list()
    return None if value is None else json.dumps(value, default=str, ensure_ascii=False)
