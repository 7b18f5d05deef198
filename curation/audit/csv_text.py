"""An answer as CSV that neither a terminal nor a spreadsheet obeys."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence

import polars as pl

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_ROWS = 1024  # of a piece
_KEPT = "\n\t"  # control characters that are text


def csv_text(frame: pl.DataFrame) -> str:
    """All of `pieces` as one text."""
    return "".join(pieces(frame))


def pieces(frame: pl.DataFrame) -> Iterator[str]:
    """CSV with a header, some rows at a time; lists and structs are JSON, as CSV nests nothing.

    A text that a spreadsheet would run as a formula gets an apostrophe before it, and a control
    character is written as an escape: other readers of the same rows take --format parquet or json.
    """
    yield _lines([frame.columns])
    for part in frame.iter_slices(_ROWS):
        yield _lines(part.iter_rows())


def _lines(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([_plain(value) for value in row] for row in rows)
    return text.getvalue()


def _plain(value: object) -> object:
    if isinstance(value, list | dict):
        value = json.dumps(value, default=str, ensure_ascii=False)
    if not isinstance(value, str):
        return value
    shown = "".join(
        char if char.isprintable() or char in _KEPT else _escape(char) for char in value
    )
    return f"'{shown}" if value.startswith(_FORMULA) else shown


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
