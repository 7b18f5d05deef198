"""Fetch one source: the published files -> native.parquet with the columns its format reads.

Run: python -m pipelines.stages.fetch --source hh_rlhf --native N.parquet --rejects R.parquet \
--manifest M.json
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path

import polars as pl

from curation.core import schema
from curation.core.errors import UserError
from curation.core.ordered import Spill, batches
from curation.reading import native, native_parquet, readers
from curation.reading.native import Ledger
from curation.sources.base import Format, Layout
from curation.sources.formats import find
from pipelines.core import params, stage
from pipelines.core.arguments import Arguments, foreach, writes
from pipelines.core.params.data import Source
from pipelines.core.scratch import scratch
from pipelines.core.stage import Stage
from pipelines.shared import source_files


class Args(Arguments):
    """What the stage reads, writes and is told."""

    native: Path = writes()
    rejects: Path = writes()
    manifest: Path = writes()
    source: str = foreach(help="name of the source in params.yaml")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; 0, or 2 on bad input."""
    return stage.run("fetch", Args, _body, argv)


def _body(run: Stage, args: Args) -> None:
    name = args.source
    source = source_files.configured(params.load(args.params), name, args.params)
    form = find(source.format, source.kind, f"sources.{name}")
    form.check_options(source.options, f"sources.{name}")
    files = source_files.resolve(source, f"sources.{name}")
    ledger = Ledger()
    with scratch() as folder:
        rows = Spill(folder / "rows", "source_row")
        layout = _read(files.paths, form, source, ledger, rows)
        table = layout.table(name, source.options)
        kept = run.outputs.parts(args.native, table, map(_numbered, rows.parts()))
    rejected = run.outputs.table(args.rejects, schema.REJECTS, native.rejects(ledger.bad, name))
    if ledger.rows != kept + rejected:
        raise AssertionError(f"{ledger.rows} rows read, {kept} kept, {rejected} rejected")
    facts = {
        "source": name,
        "format": form.name,
        "limit": source.limit,
        "rows": ledger.rows,
        "kept": kept,
        "rejected": rejected,
        "ignored_columns": sorted(ledger.columns - set(table.names)),
    }
    run.outputs.json(args.manifest, facts | files.manifest)
    run.summary.rows_in, run.summary.kept, run.summary.rejected = ledger.rows, kept, rejected


def _numbered(part: pl.DataFrame) -> pl.DataFrame:
    return native.numbered(part.lazy()).sort("source_row").collect()


def _read(paths: list[Path], form: Format, source: Source, ledger: Ledger, rows: Spill) -> Layout:
    """Put all files' rows, at most `limit` of them, into `rows`; the form they have.

    Memory: one batch of rows, and the rows that cannot be read.
    """
    layouts: list[Layout] = []
    for path in paths:
        left = None if source.limit is None else source.limit - ledger.rows
        if left == 0:
            break
        read = _read_parquet if readers.is_parquet(path) else _read_rows
        layout, frames = read(path, form, source, ledger, left)
        if layouts and layout is not layouts[0]:
            raise UserError(f"{path}: has another form than {paths[0]}; make two sources of them")
        layouts.append(layout)
        for frame in frames:
            rows.add(native.hashed(frame.lazy()).collect())
    if not rows.rows:
        most = f"; most: {native.most(ledger.bad)}" if ledger.bad else ""
        raise UserError(f"{paths[0]}: none of {ledger.rows} rows can be used{most}")
    return layouts[0]


def _read_parquet(
    path: Path, form: Format, source: Source, ledger: Ledger, left: int | None
) -> tuple[Layout, Iterator[pl.DataFrame]]:
    with _readable(path):
        found = pl.read_parquet_schema(path)
    words = native_parquet.parquet_words(found)
    layout = native.choose_layout(form, words, source.options, str(path))
    scan = pl.scan_parquet(path)
    scan = scan if left is None else scan.head(left)
    ledger.columns.update(found)
    if native_parquet.by_value(scan, layout, source.options):
        rows = (row for batch in batches(scan) for row in batch.iter_rows(named=True))
        return layout, native.typed_frames(rows, layout, source.options, ledger, parse=False)
    typed = native_parquet.from_parquet(scan, layout, source.options, str(path))

    def frames() -> Iterator[pl.DataFrame]:
        with _readable(path):
            for frame in batches(typed):
                yield native_parquet.without_missing(frame, layout, source.options, ledger)

    return layout, frames()


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"{path}: not a readable Parquet file ({reason}); fetch it again"
        ) from error


def _read_rows(
    path: Path, form: Format, source: Source, ledger: Ledger, left: int | None
) -> tuple[Layout, Iterator[pl.DataFrame]]:
    rows: Iterator[readers.Row | readers.Bad] = islice(readers.rows(path), left)
    seen, held = native.peek(rows)
    if not held:
        raise UserError(f"{path}: the file holds no rows")
    if not seen:
        raise UserError(
            f"{path}: not one of its first {len(held)} rows can be read; fetch it again"
        )
    parse = ".csv" in path.suffixes
    words = {name: set() for name in seen} if parse else seen
    layout = native.choose_layout(form, words, source.options, str(path))
    return layout, native.typed_frames(chain(held, rows), layout, source.options, ledger, parse)


if __name__ == "__main__":
    sys.exit(main())
