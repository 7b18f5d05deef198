"""Frames that come one after another, checked on their way into a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import polars as pl

from curation.core.schema import Table


def in_order(frames: Iterable[pl.DataFrame], table: Table) -> Iterator[pl.DataFrame]:
    """The frames in the table's columns and types, checked to be in the order of its key.

    Raises:
        AssertionError: a frame is not, or begins before the one before it ended.
    """
    last: tuple[Any, ...] | None = None
    for frame in frames:
        typed = frame.select(pl.col(one.name).cast(one.dtype) for one in table.columns)
        if typed.is_empty():
            continue
        keys = typed.select(table.key)
        if (last is not None and keys.row(0) < last) or not keys.equals(keys.sort(table.key)):
            raise AssertionError(f"{table.name}: {keys.row(0)} and on are not in key order")
        last = keys.row(-1)
        yield typed
