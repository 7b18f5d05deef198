"""Rows of a user's own file, whatever its form: Parquet, JSON lines, a JSON array or CSV."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl

from curation.core.errors import UserError
from curation.reading import readers
from curation.reading.readers import Bad, Row

BATCH = 8_192


def read(path: Path) -> Iterator[Row | Bad]:
    """The file's rows; one that cannot be read is a `Bad` with its rule and raw text.

    Raises:
        UserError: there is no such file, it is empty, or it holds no rows' format.
    """
    if not readers.is_parquet(path):
        yield from readers.rows(path)
        return
    try:
        for batch in pl.read_parquet(path).iter_slices(BATCH):
            yield from batch.iter_rows(named=True)
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
