"""One published file of a source, whatever its form: the layout it has, its rows in frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import polars as pl

from curation.core.errors import UserError
from curation.core.ordered import batches
from curation.reading import arrow_files, bounds, native, native_parquet, readers, seen, written
from curation.reading.native import Ledger
from curation.reading.readers import Bad, Row
from curation.sources.aliases import with_aliases
from curation.sources.base import Format, Layout, Options


@dataclass(frozen=True)
class Asked:
    """What is read of a file, and where the account of it goes.

    Attributes:
        ledger: Takes what cannot be read.
        left: At most so many rows; None for all.
        folder: For a copy, where the file is of a form that cannot be read in place.
    """

    form: Format
    options: Options
    ledger: Ledger
    left: int | None
    folder: Path


@dataclass(frozen=True)
class Opened:
    """A file's layout, the options with its own column names, and its rows, read as they go."""

    layout: Layout
    options: Options
    frames: Iterator[pl.DataFrame]


def opened(path: Path, asked: Asked) -> Opened:
    """Open a file of rows.

    Raises:
        UserError: it is missing, broken, of no form that holds rows, or lacks columns.
    """
    kind = seen.kind_of_file(path)
    if kind == "rows":
        return _of_values(native.read_lists(islice(readers.rows(path), asked.left)), path, asked)
    if kind == "arrow":
        asked.folder.mkdir(parents=True, exist_ok=True)
        return _of_parquet(arrow_files.as_parquet(path, asked.folder / "copy"), path, asked)
    return _of_parquet(path, path, asked)


def _of_parquet(table: Path, path: Path, asked: Asked) -> Opened:
    ledger = asked.ledger
    bounds.parquet(path)
    with _readable(path):
        found = pl.read_parquet_schema(table)
        scan = pl.scan_parquet(table)
        scan = scan if asked.left is None else scan.head(asked.left)
        names = _written(scan, found)
    ledger.columns.update(found)
    values = _values(scan, path)
    if names:
        return _of_values((written.read(row, names) for row in values), path, asked)
    options = with_aliases(asked.form, asked.options, found)
    words = native_parquet.parquet_words(found)
    layout = native.choose_layout(asked.form, words, options, str(path))
    if native_parquet.by_value(scan, layout, options):
        return Opened(layout, options, native.typed_frames(values, layout, options, ledger))
    typed = native_parquet.from_parquet(scan, layout, options, str(path))

    def frames() -> Iterator[pl.DataFrame]:
        with _readable(path):
            for frame in batches(typed):
                whole = native_parquet.without_missing(frame, layout, options, ledger)
                yield native_parquet.with_roles(whole)

    return Opened(layout, options, frames())


def _values(scan: pl.LazyFrame, path: Path) -> Iterator[Row | Bad]:
    with _readable(path):
        for batch in batches(scan):
            yield from batch.iter_rows(named=True)


def _written(scan: pl.LazyFrame, found: Mapping[str, pl.DataType]) -> frozenset[str]:
    """Columns of text whose first rows are all message lists, or lists of turns."""
    texts = [name for name, dtype in found.items() if dtype == pl.String]
    turns = [
        name
        for name, dtype in found.items()
        if dtype == pl.List(pl.String) and written.may_be_turns(name)
    ]
    first = scan.select(*texts, *turns).head(native.PEEK).collect()
    listed = [name for name in texts if first[name].str.contains(r"^\s*[\[{]").any()] + turns
    return written.columns(first.select(listed).iter_rows(named=True)) if listed else frozenset()


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"{path}: not a readable Parquet file ({reason}); fetch it again"
        ) from error


def _of_values(rows: Iterator[Row | Bad], path: Path, asked: Asked) -> Opened:
    kinds, held = native.peek(rows)
    if not held:
        raise UserError(f"{path}: the file holds no rows")
    if not kinds:
        raise seen.unread(path, held)
    options = with_aliases(asked.form, asked.options, kinds)
    layout = native.choose_layout(asked.form, kinds, options, str(path))
    frames = native.typed_frames(chain(held, rows), layout, options, asked.ledger)
    return Opened(layout, options, frames)
