"""`prefloop sql`: one SELECT over the views of a build, and the audit queries shipped with it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import duckdb
import polars as pl

from curation.audit.answers import frame
from curation.audit.connect import open_build, open_unlocked
from curation.core.errors import UserError

_QUERIES = "queries"


@dataclass(frozen=True)
class Shipped:
    """One query that comes with the project: its name, its sentence and its text."""

    name: str
    sentence: str
    text: str


def shipped() -> list[Shipped]:
    """Every query under queries/, by name; its sentence is the comment it opens with."""
    folder = files("curation.audit").joinpath(_QUERIES)
    found = sorted(folder.iterdir(), key=lambda item: item.name)
    return [
        _read(item.name.removesuffix(".sql"), item.read_text("utf-8"))
        for item in found
        if item.name.endswith(".sql")
    ]


def named(name: str) -> Shipped:
    """The shipped query of this name.

    Raises:
        UserError: no shipped query has this name.
    """
    for query in shipped():
        if query.name == name:
            return query
    raise UserError(f"{name}: no shipped query has this name; prefloop sql --list names them all")


def run(data: Path, query: str) -> pl.DataFrame:
    """Answer one SELECT over the views of the build under `data`.

    Raises:
        UserError: the text is not one SELECT, does not run, or reaches outside the build.
    """
    con = open_build(data)
    try:
        return answer(con, query)
    except duckdb.OutOfMemoryException as error:
        raise UserError(f"query: {_reason(error)}") from error
    finally:
        con.close()


def answer(
    con: duckdb.DuckDBPyConnection, query: str, limit: int | None = None, most: int | None = None
) -> pl.DataFrame:
    """Answer one SELECT on an open build, or its first `limit` rows; see `run`.

    Raises:
        UserError: as `run`, or the answer is larger than `most` bytes.
    """
    try:
        statements = con.extract_statements(query)
    except duckdb.Error as error:
        raise UserError(f"query: {_reason(error)}") from error
    if len(statements) != 1:
        raise UserError(f"query: {len(statements)} statements; give exactly one SELECT")
    if statements[0].type != duckdb.StatementType.SELECT:
        kind = statements[0].type.name
        raise UserError(f"query: {kind} is not allowed; the build is read-only, give one SELECT")
    try:
        asked = con.sql(query)
        return frame(asked if limit is None else asked.limit(limit), most)
    except (duckdb.InterruptException, duckdb.OutOfMemoryException):
        raise
    except (duckdb.Error, pl.exceptions.PolarsError) as error:
        raise UserError(f"query: {_reason(error)}") from error


def export(data: Path, target: Path) -> list[str]:
    """Copy every view into a DuckDB file that any DuckDB client opens; returns the table names.

    The file appears whole or not at all. Parquet files stay the truth: the copy is for reading.
    """
    temp = target.with_name(f".{target.name}.tmp")
    temp.unlink(missing_ok=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    con = open_unlocked(data)
    try:
        names = views(con)
        literal = str(temp).replace("'", "''")
        con.execute(f"attach '{literal}' as export")
        for name in names:
            con.execute(f'create table export."{name}" as select * from "{name}"')
    finally:
        con.close()
    temp.replace(target)
    return names


def views(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Names of the public views of an open build."""
    found = con.execute(
        "select view_name from duckdb_views() "
        "where not internal and not starts_with(view_name, '_') order by view_name"
    ).fetchall()
    return [str(row[0]) for row in found]


def _read(name: str, text: str) -> Shipped:
    head = []
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        head.append(line.removeprefix("--").strip())
    return Shipped(name, " ".join(head), text)


def _reason(error: Exception) -> str:
    """The first line of an error and, if DuckDB has one, its suggestion."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    hint = [line for line in lines[1:] if line.startswith(("Did you mean", "Candidate"))]
    return " ".join([lines[0], *hint[:1]])
