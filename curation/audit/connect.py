"""DuckDB over a build: in memory, a view per table, then locked against everything else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from curation.audit import catalog
from curation.core.errors import UserError
from curation.core.schema import Table

_TYPES: dict[pl.DataType | type[pl.DataType], str] = {
    pl.String: "VARCHAR",
    pl.Int64: "BIGINT",
    pl.UInt64: "UBIGINT",
    pl.Float64: "DOUBLE",
    pl.Boolean: "BOOLEAN",
    pl.List(pl.Int64): "BIGINT[]",
    pl.List(pl.String): "VARCHAR[]",
    pl.List(pl.Struct({"role": pl.String, "content": pl.String})): (
        "STRUCT(role VARCHAR, content VARCHAR)[]"
    ),
}
_MANIFEST = ("source", "kind", "format", "uri", "revision", "commit_sha", "sha256")
_CHECKPOINT = ("checkpoint", "kind", "weights_sha", "template_sha")


def open_build(
    data: Path, limits: Mapping[str, str | int] | None = None
) -> duckdb.DuckDBPyConnection:
    """Open a build: every view of views.sql, and no way out of the build's own files.

    Args:
        data: its folder.
        limits: settings of DuckDB: memory_limit, threads.

    Raises:
        UserError: the folder is missing or one of its files cannot be read.
    """
    con = open_unlocked(data)
    for name, value in (limits or {}).items():
        con.execute(f"set {name} = '{value}'")
    lock(con, [path for paths in catalog.tables(data).values() for path in paths])
    return con


def open_unlocked(data: Path) -> duckdb.DuckDBPyConnection:
    """The same views without the lock, for the project's own fixed statements only.

    Raises:
        UserError: the folder is missing or one of its files cannot be read.
    """
    found = catalog.tables(data)
    con = duckdb.connect(":memory:")
    for name, paths in found.items():
        _base(con, name, catalog.FILES[name][0], paths)
    _documents(con, catalog.documents(data))
    con.execute(files("curation.audit").joinpath("views.sql").read_text("utf-8"))
    return con


def lock(con: duckdb.DuckDBPyConnection, paths: Iterable[Path]) -> None:
    """Leave only these files readable, then switch off all other access and all settings.

    Nothing is spilled to disk: DuckDB lets a query read the folder that it spills to.
    """
    con.execute("set temp_directory = ''")
    con.execute(f"set allowed_paths = {_list(paths)}")
    con.execute("set enable_external_access = false")
    con.execute("set lock_configuration = true")


def rows(
    con: duckdb.DuckDBPyConnection,
    query: str,
    parameters: Sequence[Any] | dict[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """The result of a query as one dict per row."""
    cursor = con.execute(query, parameters)
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _base(con: duckdb.DuckDBPyConnection, name: str, table: Table, paths: list[Path]) -> None:
    columns = ", ".join(f'"{column}"' for column in table.names)
    origin = f"read_parquet({_list(paths)}, filename = true)" if paths else _nothing(table)
    try:
        con.execute(f'create view "_{name}" as select {columns}, filename from {origin}')
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        where = ", ".join(str(path) for path in paths[:3])
        raise UserError(f"{where}: not a readable table of {table.name} ({reason})") from error


def _nothing(table: Table) -> str:
    casts = [f'null::{_TYPES[column.dtype]} as "{column.name}"' for column in table.columns]
    return f"(select {', '.join(casts)}, null::varchar as filename where false)"


def _documents(con: duckdb.DuckDBPyConnection, found: dict[str, dict[str, Any]]) -> None:
    con.execute(
        "create table _checks (gate varchar, table_name varchar, rows bigint, check_name varchar, "
        "sentence varchar, violations bigint, examples varchar, passed boolean)"
    )
    _insert(con, "_checks", [tuple(vars(check).values()) for check in catalog.checks(found)])
    con.execute("create table _metrics (file varchar, key varchar, value double, text varchar)")
    _insert(con, "_metrics", catalog.metrics(found))
    texts = ", ".join(f"{name} varchar" for name in _MANIFEST)
    con.execute(f"create table _manifests ({texts}, bytes bigint, kept bigint)")
    names = (*_MANIFEST, "bytes", "kept")
    _insert(con, "_manifests", [_pick(row, names) for row in catalog.manifests(found)])
    texts = ", ".join(f"{name} varchar" for name in _CHECKPOINT)
    con.execute(f"create table _checkpoints ({texts})")
    _insert(con, "_checkpoints", [_pick(row, _CHECKPOINT) for row in catalog.checkpoints(found)])


def _pick(row: dict[str, Any], names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row.get(name) for name in names)


def _insert(con: duckdb.DuckDBPyConnection, name: str, values: Sequence[tuple[Any, ...]]) -> None:
    """All rows in one statement: one statement per row would take most of the start."""
    if values:
        columns = [list(column) for column in zip(*values, strict=True)]
        con.execute(f"insert into {name} select {', '.join('unnest(?)' for _ in columns)}", columns)


def _list(paths: Iterable[Path]) -> str:
    """Paths as a SQL list of literals, quotes doubled."""
    return "[" + ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths) + "]"
