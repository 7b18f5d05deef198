"""A Parquet file written a row group at a time, in the memory of one.

Polars encodes each group as a file of its own, one per thread; their column data are put one behind
the other and their footers made one. No library appends encoded groups; a sink that pulls frames
from an iterator can stall, and one that reads them from spilled files writes every text twice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl

from pipelines import footer
from pipelines.footer import I16, LIST, Fields

# numbers of fields in parquet.thrift
_ROWS, _GROUPS = 3, 4  # of FileMetaData
_COLUMNS, _GROUP_START, _ORDINAL = 1, 5, 7  # of RowGroup
_CHUNK_STARTS, _COLUMN_META = (2, 4, 6), 3  # of ColumnChunk
_PAGE_STARTS = (9, 10, 11, 14)  # of ColumnMetaData


THREADS = min(4, pl.thread_pool_size())  # groups encoded at a time; each is held in memory


def encode(frame: pl.DataFrame, level: int) -> memoryview:
    """A Parquet file of the frame as one row group, zstd at this level."""
    encoded = BytesIO()
    frame.rechunk().write_parquet(
        encoded,
        compression="zstd",
        compression_level=level,
        row_group_size=max(1, frame.height),
        statistics=True,
    )
    return encoded.getbuffer()


def encoded(frames: Iterable[pl.DataFrame], level: int) -> Iterator[memoryview]:
    """Each frame encoded, in their order; threads encode while the next frames are made."""
    with ThreadPoolExecutor(THREADS) as threads:
        waiting: deque[Future[memoryview]] = deque()
        for frame in frames:
            waiting.append(threads.submit(encode, frame, level))
            if len(waiting) > THREADS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


class RowGroups:
    """A Parquet file in the making, as a context: `add` its groups in order."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._at = self._file.write(footer.MAGIC)
        self._whole: Fields = {}

    def __enter__(self) -> RowGroups:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._file.write(footer.tail(self._whole))
        self._file.close()

    def add(self, encoded: memoryview) -> None:
        """Append the row group of a file that `encode` made."""
        data, fields = footer.split(encoded)
        for group in _groups(fields):
            _move(group, self._at - len(footer.MAGIC), len(_groups(self._whole)))
        self._at += self._file.write(data)
        self._join(fields)

    def _join(self, fields: Fields) -> None:
        if not self._whole:
            self._whole = fields
            return
        for number in (2, *({5, 7} & fields.keys())):  # schema, key-values, column orders
            if fields[number] != self._whole[number]:
                raise AssertionError(f"row groups of different kinds: field {number}")
        _groups(self._whole).extend(_groups(fields))
        kind, rows = self._whole[_ROWS]
        self._whole[_ROWS] = (kind, rows + fields[_ROWS][1])


def _groups(fields: Fields) -> list[Fields]:
    groups: list[Fields] = fields[_GROUPS][1][1] if _GROUPS in fields else []
    return groups


def _move(group: Fields, by: int, ordinal: int) -> None:
    """Add `by` to every place in the file that a row group names."""
    _shift(group, (_GROUP_START,), by)
    if _ORDINAL in group:
        group[_ORDINAL] = (I16, ordinal)
    kind, (_, chunks) = group[_COLUMNS]
    if kind != LIST:
        raise AssertionError("a row group without columns")
    for chunk in chunks:
        _shift(chunk, _CHUNK_STARTS, by)
        _shift(chunk[_COLUMN_META][1], _PAGE_STARTS, by)


def _shift(fields: dict[int, tuple[int, Any]], numbers: tuple[int, ...], by: int) -> None:
    for number in numbers:
        if fields.get(number, (0, 0))[1]:  # 0: the place is not given
            kind, value = fields[number]
            fields[number] = (kind, value + by)
