"""Parquet as every reader takes it: lists are lists, texts are texts, no types of one library.

Polars writes its own Arrow types beside the columns, and `datasets` then reads LargeList where the
build's other tables have List: two such tables cannot be concatenated.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl

LEVEL = 3  # of zstd: these files are written once and downloaded often


def write(path: Path, frames: Iterable[pl.DataFrame]) -> int:
    """Write frames of one schema, each a row group, in the memory of one; returns the rows.

    Raises:
        ValueError: there is no frame.
        OSError: the file could not be written.
    """
    from pyarrow import parquet

    writer: Any = None
    rows = 0
    try:
        for frame in frames:
            table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
            writer = writer or parquet.ParquetWriter(
                path, table.schema, compression="zstd", compression_level=LEVEL, store_schema=False
            )
            writer.write_table(table, row_group_size=max(1, frame.height))
            rows += frame.height
    finally:
        if writer is not None:
            writer.close()
    if writer is None:
        raise ValueError(f"{path}: no frame to write")
    return rows
