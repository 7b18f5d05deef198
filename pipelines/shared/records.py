"""Rows of files that others wrote: JSON, JSON lines, CSV or Parquet, as plain dictionaries."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from curation.core.errors import UserError
from curation.reading import arrow_files, readers, seen
from pipelines.core.outputs import atomic

Row = dict[str, Any]


def read(path: Path) -> list[Row]:
    """All rows of a file.

    Raises:
        UserError: the file is missing, empty or unreadable, or one of its rows is.
    """
    kind = seen.kind_of_file(path)
    if kind == "arrow":
        return list(arrow_files.rows(path))
    if kind == "parquet":
        try:
            return pl.read_parquet(path).to_dicts()
        except (pl.exceptions.PolarsError, OSError) as error:
            reason = str(error).splitlines()[0]
            raise UserError(f"{path}: not a readable Parquet file ({reason})") from error
    found = []
    for number, row in enumerate(readers.rows(path), start=1):
        if isinstance(row, readers.Bad):
            raise UserError(f"{path}: row {number}: {row.rule} ({row.detail}); correct it")
        found.append(row)
    if not found:
        raise UserError(f"{path}: the file holds no rows")
    return found


def need(path: Path, rows: Sequence[Row], columns: Iterable[str]) -> None:
    """Check that every row has the columns.

    Raises:
        UserError: naming the first row that lacks one, and what the file has.
    """
    wanted = list(columns)
    for number, row in enumerate(rows, start=1):
        missing = [name for name in wanted if row.get(name) is None]
        if missing:
            have = ", ".join(sorted(row))
            raise UserError(f"{path}: row {number} lacks {', '.join(missing)} (it has: {have})")


def write_lines(path: Path, rows: Iterable[Row]) -> None:
    """Write JSON lines, whole or not at all."""
    with atomic(path) as temp:
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        temp.write_text(text, "utf-8")


def write_array(path: Path, rows: Sequence[Row]) -> None:
    """Write one JSON array, whole or not at all."""
    with atomic(path) as temp:
        temp.write_text(json.dumps(list(rows), ensure_ascii=False, indent=2) + "\n", "utf-8")
