"""Fetch one source: the published files -> native.parquet with the columns its format reads.

Run: python -m pipelines.fetch --source hh_rlhf --native N.parquet --rejects R.parquet \
--manifest M.json
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

import polars as pl

from curation import native, native_parquet, readers, schema
from curation.errors import UserError
from curation.native import Ledger
from curation.sources.base import Format, Layout
from curation.sources.formats import find
from pipelines import params, source_files, stage
from pipelines.params.data import Source
from pipelines.stage import Stage


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; 0, or 2 on bad input."""
    parser = stage.parser(__doc__, inputs=[], outputs=["native", "rejects", "manifest"])
    parser.add_argument("--source", required=True, help="name of the source in params.yaml")
    return stage.run("fetch", parser, _body, argv)


def _body(run: Stage) -> None:
    name = run.args.source
    source = source_files.configured(params.load(run.args.params), name, run.args.params)
    form = find(source.format, source.kind, f"sources.{name}")
    form.check_options(source.options, f"sources.{name}")
    files = source_files.resolve(source, f"sources.{name}")
    ledger = Ledger()
    layout, frame = _read(files.paths, form, source, ledger)
    rows = native.with_row_ids(frame.lazy())
    kept = run.outputs.table(run.args.native, layout.table(name, source.options), rows)
    rejected = run.outputs.table(run.args.rejects, schema.REJECTS, native.rejects(ledger.bad, name))
    if ledger.rows != kept + rejected:
        raise AssertionError(f"{ledger.rows} rows read, {kept} kept, {rejected} rejected")
    facts = {
        "source": name,
        "format": form.name,
        "limit": source.limit,
        "rows": ledger.rows,
        "kept": kept,
        "rejected": rejected,
        "ignored_columns": sorted(ledger.columns - set(frame.columns)),
    }
    run.outputs.json(run.args.manifest, facts | files.manifest)
    run.summary.rows_in, run.summary.kept, run.summary.rejected = ledger.rows, kept, rejected


def _read(
    paths: list[Path], form: Format, source: Source, ledger: Ledger
) -> tuple[Layout, pl.DataFrame]:
    """All files of a source as one typed frame, at most `limit` rows of it."""
    layouts: list[Layout] = []
    frames: list[pl.DataFrame] = []
    for path in paths:
        left = None if source.limit is None else source.limit - ledger.rows
        if left == 0:
            break
        read = _read_parquet if readers.is_parquet(path) else _read_rows
        layout, frame = read(path, form, source, ledger, left)
        if layouts and layout is not layouts[0]:
            raise UserError(f"{path}: has another form than {paths[0]}; make two sources of them")
        layouts.append(layout)
        frames.append(frame)
    whole = pl.concat(frames)
    if whole.is_empty():
        most = f"; most: {native.most(ledger.bad)}" if ledger.bad else ""
        raise UserError(f"{paths[0]}: none of {ledger.rows} rows can be used{most}")
    return layouts[0], whole


def _read_parquet(
    path: Path, form: Format, source: Source, ledger: Ledger, left: int | None
) -> tuple[Layout, pl.DataFrame]:
    try:
        found = pl.read_parquet_schema(path)
        layout = native.choose_layout(
            form, native_parquet.parquet_words(found), source.options, str(path)
        )
        scan = pl.scan_parquet(path)
        scan = scan if left is None else scan.head(left)
        if native_parquet.by_value(scan, layout, source.options):
            rows = scan.collect().iter_rows(named=True)
            frames = native.typed_frames(rows, layout, source.options, ledger, parse=False)
            return layout, pl.concat(frames)
        frame = native_parquet.from_parquet(scan, layout, source.options, str(path)).collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"{path}: not a readable Parquet file ({reason}); fetch it again"
        ) from error
    ledger.columns.update(found)
    return layout, native_parquet.without_missing(frame, layout, source.options, ledger)


def _read_rows(
    path: Path, form: Format, source: Source, ledger: Ledger, left: int | None
) -> tuple[Layout, pl.DataFrame]:
    rows: Iterator[readers.Row | readers.Bad] = islice(readers.rows(path), left)
    seen, held = native.peek(rows)
    parse = ".csv" in path.suffixes
    words = {name: set() for name in seen} if parse else seen
    layout = native.choose_layout(form, words, source.options, str(path))
    frames = native.typed_frames(chain(held, rows), layout, source.options, ledger, parse)
    return layout, pl.concat(frames)


if __name__ == "__main__":
    sys.exit(main())
