"""Frames that come one after another, as one lazy frame that a table is written from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from curation.schema import Table


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


def spooled(frames: Iterable[pl.DataFrame], folder: Path, schema: pl.Schema) -> pl.LazyFrame:
    """The frames put aside in files and scanned in their order.

    Polars can pull a lazy frame's rows from an iterator, but queries that run inside the iterator
    and the one that pulls can wait for each other's threads for ever.
    """
    files: list[Path] = []
    for frame in frames:
        files.append(folder / f"{len(files):06d}.arrow")
        frame.write_ipc(files[-1], compat_level=pl.CompatLevel.newest())
    return pl.scan_ipc(files) if files else pl.DataFrame(schema=schema).lazy()
