"""Keys that ascend strictly, and so name one row each: seen row group by row group."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from curation.core.errors import UserError
from curation.core.ordered import batches
from curation.core.schema import Table


class Rising:
    """Frames of keys seen one after another: `strictly` until a row is not above the one before."""

    def __init__(self) -> None:
        self.strictly = True
        self._last: pl.DataFrame | None = None

    def see(self, keys: pl.DataFrame) -> None:
        """Look at the next frame."""
        if keys.is_empty() or not self.strictly:
            return
        whole = keys if self._last is None else pl.concat([self._last, keys])
        self.strictly = bool(_above(whole).all())
        self._last = keys.tail(1)


def _above(keys: pl.DataFrame) -> pl.Series:
    """Of each row but the first: whether it is above the one before, column by column."""
    tied, above = pl.lit(True), pl.lit(False)
    for name in keys.columns:
        now, was = pl.col(name).slice(1), pl.col(name).shift(1).slice(1)
        above = above | (tied & (now > was))
        tied = tied & (now == was)
    return keys.select(above.alias("above")).to_series().fill_null(False)


def distinct(path: Path, table: Table) -> None:
    """Check that no two rows of a file share a key, in constant memory where rows ascend by it.

    Raises:
        UserError: two do.
    """
    keys = pl.scan_parquet(path).select(table.key)
    rising = Rising()
    for frame in batches(keys):
        rising.see(frame)
    twice = None if rising.strictly else _twice(keys.collect())
    if twice is not None:
        named = ", ".join(f"{name} {value}" for name, value in twice.items())
        raise UserError(f"{path}: {named} occurs twice, but keys a table of {table.name}")


def _twice(keys: pl.DataFrame) -> dict[str, Any] | None:
    whole = keys.drop_nulls()  # a key may not be null, as its reader says
    again = whole.filter(whole.is_duplicated())
    return None if again.is_empty() else again.row(0, named=True)
