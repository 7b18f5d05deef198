"""Reading tables and small JSON files, checked on the way in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

from curation.core.errors import UserError
from curation.core.schema import REJECTS, Table
from pipelines.core import sealed


def parquet_schema(path: Path) -> dict[str, pl.DataType]:
    """Column names and types of a Parquet file.

    Raises:
        UserError: the file is missing or unreadable.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file; run the stage that writes it first")
    try:
        return dict(pl.read_parquet_schema(path))
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"{path}: not a readable Parquet file ({reason}); rebuild it with dvc repro, "
            "or dvc checkout to take the last good one"
        ) from error


def scan(path: Path, table: Table, *, keyed: bool = True) -> pl.LazyFrame:
    """Open a Parquet file lazily and check it: every byte, columns and types, one row to a key.

    Args:
        path: the file.
        table: what it should be.
        keyed: whether to look at the keys; a gate counts and names duplicates itself.

    Raises:
        UserError: the file is missing, unreadable, not as it was written, holds two rows of one
            key, or lacks a column of the table that may not be null; one that may be, such as an
            earlier version's table has not, is null.
    """
    found = parquet_schema(path)
    sealed.whole(path)
    missing = [name for name in table.required if name not in found]
    if missing:
        raise UserError(
            f"{path}: lacks {', '.join(missing)}, which a table of {table.name} must have"
        )
    for column in table.columns:
        if found.get(column.name, column.dtype) != column.dtype:
            raise UserError(
                f"{path}: column {column.name} is {found[column.name]}, "
                f"but {table.name} wants {column.dtype}"
            )
    absent = {
        column.name: pl.lit(None, dtype=column.dtype)
        for column in table.columns
        if column.name not in found
    }
    if (
        keyed and table.name != REJECTS.name
    ):  # one item may be dropped twice, as a raw row may come twice
        sealed.one_each(path, table)
    return pl.scan_parquet(path).with_columns(**absent).select(table.names)


def read(path: Path, table: Table) -> pl.DataFrame:
    """Like `scan`, but the whole table in memory."""
    return scan(path, table).collect()


def read_json(path: Path) -> dict[str, Any]:
    """Read a small JSON object.

    Raises:
        UserError: the file is missing or is not a JSON object.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file; run the stage that writes it first")
    try:
        value = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise UserError(f"{path}: not valid JSON ({error})") from error
    if not isinstance(value, dict):
        raise UserError(f"{path}: holds {type(value).__name__}, not a JSON object")
    return value
