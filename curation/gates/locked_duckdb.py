"""A DuckDB connection that reads the given files and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb

from curation.core.errors import UserError


def connect(
    views: Mapping[str, Sequence[str]],
    numbers: Mapping[str, Mapping[str, float]],
    variables: Mapping[str, float],
) -> duckdb.DuckDBPyConnection:
    """Open DuckDB in memory with views over Parquet files, then lock it.

    Args:
        views: view name -> the Parquet files it reads.
        numbers: table name -> key -> value, made as a table (key, value).
        variables: what getvariable() gives.

    Raises:
        UserError: DuckDB cannot read a file.
    """
    connection = duckdb.connect(":memory:", config={"threads": "2"})
    for name, value in variables.items():
        connection.execute(f"set variable {_identifier(name)} = ?::double", [value])
    for name, pairs in numbers.items():
        connection.execute(f"create table {_identifier(name)} (key varchar, value double)")
        if pairs:
            connection.executemany(
                f"insert into {_identifier(name)} values (?, ?)", list(pairs.items())
            )
    for name, files in views.items():
        _view(connection, name, files)
    paths = sorted(path for files in views.values() for path in files)
    connection.execute(f"set allowed_paths = [{', '.join(map(_literal, paths))}]")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    return connection


def _view(connection: duckdb.DuckDBPyConnection, name: str, files: Sequence[str]) -> None:
    paths = ", ".join(map(_literal, files))
    try:
        connection.execute(
            f"create view {_identifier(name)} as select * from read_parquet([{paths}])"
        )
    except duckdb.Error as error:
        raise UserError(f"view {name}: {str(error).splitlines()[0]}") from error


def _identifier(name: str) -> str:
    if not name.isidentifier():
        raise UserError(f"--view {name}: a view's name is letters, digits and _ only")
    return f'"{name}"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
