"""A Parquet file written a row group at a time, in the memory of two groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.core import sealed
from pipelines.core.distinct import Rising

OFTEN = 2  # times that a value must occur, on average, for a dictionary to pay
SAMPLE = 8192  # rows of the first group that are looked at for it
COMPRESSION_LEVEL = 1  # of zstd: level 3 writes 3 to 12% fewer bytes of text in 45% more time


class RowGroups:
    """A Parquet file in the making, as a context: each frame added becomes one row group.

    Arrow encodes a group in a thread of its own while the next frame is made. Pages carry
    checksums, so that a flipped bit is found by readers that look; the file a digest of its own.

    Args:
        path: the file.
        key: columns whose values are looked at: where they ascend strictly, the footer says so.
    """

    def __init__(self, path: Path, key: Sequence[str] = ()) -> None:
        self._path = path
        self._key = key
        self._rising = Rising()
        self._writer: Any = None
        self._thread = ThreadPoolExecutor(1)
        self._busy: Future[None] | None = None

    def __enter__(self) -> RowGroups:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._wait()
                self._facts()
        finally:
            self._thread.shutdown()
            if self._writer is not None:
                self._writer.close()
        if kind is None and self._writer is not None:
            sealed.seal(self._path)

    def _facts(self) -> None:
        if self._writer is not None:
            key = {sealed.KEY: ",".join(self._key)} if self._key and self._rising.strictly else {}
            self._writer.add_key_value_metadata({**key, sealed.DIGEST: sealed.NONE})

    def add(self, frame: pl.DataFrame) -> None:
        """Append a frame; all have the columns and types of the first.

        Raises:
            OSError: the frame before it could not be written; says the reason, not the file.
            ValueError: the frame before it had other columns than the first.
        """
        # here and not in the thread, which has the most to do
        rows = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
        if self._key:
            self._rising.see(frame.select(self._key))
        self._wait()
        self._busy = self._thread.submit(self._write, frame, rows)

    def _wait(self) -> None:
        busy, self._busy = self._busy, None
        if busy is not None:
            busy.result()

    def _write(self, frame: pl.DataFrame, rows: Any) -> None:
        from pyarrow import parquet

        if self._writer is None:
            self._writer = parquet.ParquetWriter(
                self._path,
                rows.schema,
                compression="zstd",
                compression_level=COMPRESSION_LEVEL,
                use_dictionary=repeating(frame),
                store_schema=False,
                write_page_checksum=True,
            )
        self._writer.write_table(rows, row_group_size=max(1, frame.height))


def repeating(frame: pl.DataFrame) -> list[str]:
    """Paths of the columns whose values occur `OFTEN`, nested ones as Parquet names them.

    Of ids, rewards and texts a dictionary holds every value once and a number for each beside it:
    a tenth more bytes, and half as long again to write and to read.
    """
    leaves = (leaf for column in frame.head(SAMPLE) for leaf in _leaves(column.name, column))
    return [path for path, leaf in leaves if OFTEN * leaf.n_unique() <= leaf.len()]


def _leaves(path: str, column: pl.Series) -> Iterator[tuple[str, pl.Series]]:
    """The columns that Parquet stores a nested one as, each with its path there."""
    if isinstance(column.dtype, pl.List):
        yield from _leaves(f"{path}.list.element", column.explode(empty_as_null=False))
    elif isinstance(column.dtype, pl.Struct):
        for field in column.struct.fields:
            yield from _leaves(f"{path}.{field}", column.struct.field(field))
    else:
        yield path, column
