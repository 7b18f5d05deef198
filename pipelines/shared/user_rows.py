"""Rows of a user's own file, whatever its form: Parquet, JSON lines, a JSON array or CSV."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl

from curation.core.errors import UserError
from curation.reading import arrow_files, bounds, native, readers, seen
from curation.reading.readers import Bad, Row

BATCH = 8_192


def read(path: Path) -> Iterator[Row | Bad]:
    """The file's rows; one that cannot be read is a `Bad` with its rule and raw text.

    Raises:
        UserError: there is no such file, it is empty, or it holds no rows' format.
    """
    kind = seen.kind_of_file(path)
    if kind != "parquet":
        yield from native.read_lists(
            arrow_files.rows(path) if kind == "arrow" else readers.rows(path)
        )
        return
    bounds.parquet(path)
    try:
        frames = pl.read_parquet(path).iter_slices(BATCH)
        yield from native.read_lists(row for one in frames for row in one.iter_rows(named=True))
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{path}: not a readable Parquet file ({reason})") from error


def sha(files: Iterable[Path]) -> str:
    """Hash (24 hex digits) of the files' contents, in order."""
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as handle:
            digest.update(hashlib.file_digest(handle, "sha256").digest())
    return digest.hexdigest()[:24]
