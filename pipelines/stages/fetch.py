"""Fetch one source: the published files -> native.parquet with the columns its format reads.

Run: python -m pipelines.stages.fetch --source hh_rlhf --native N.parquet --rejects R.parquet \
--manifest M.json
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from curation.core import schema
from curation.core.errors import UserError
from curation.core.ordered import Spill
from curation.reading import bounds, native
from curation.reading.native import Ledger
from curation.reading.source_file import Asked, opened
from curation.sources.base import Layout, Options
from curation.sources.formats import find
from pipelines.core import params, stage
from pipelines.core.arguments import Arguments, foreach, writes
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
        asked = Asked(form, source.options, ledger, source.limit, folder / "copies")
        layout, options = _read(files.paths, asked, rows)
        table = layout.table(name, options)
        kept = run.outputs.parts(args.native, table, map(_numbered, rows.parts()))
    rejected = run.outputs.table(args.rejects, schema.REJECTS, native.rejects(ledger.bad, name))
    if ledger.rows != kept + rejected:
        raise AssertionError(f"{ledger.rows} rows read, {kept} kept, {rejected} rejected")
    ignored = sorted(ledger.columns - set(table.names))
    facts = {
        "source": name,
        "format": form.name,
        "limit": source.limit,
        "rows": ledger.rows,
        "kept": kept,
        "rejected": rejected,
        "ignored_columns": ignored,
    }
    run.outputs.json(args.manifest, facts | files.manifest)
    run.summary.rows_in, run.summary.kept, run.summary.rejected = ledger.rows, kept, rejected
    run.summary.note = _told(ignored)


def _numbered(part: pl.DataFrame) -> pl.DataFrame:
    return native.numbered(part.lazy()).sort("source_row").collect()


def _read(paths: list[Path], asked: Asked, rows: Spill) -> tuple[Layout, Options]:
    """Put all files' rows, at most `limit` of them, into `rows`; the form and names they have.

    Memory: one batch of rows, and the rows that cannot be read.
    """
    forms: list[tuple[Layout, Options]] = []
    ledger = asked.ledger
    for path in paths:
        left = None if asked.left is None else asked.left - ledger.rows
        if left == 0:
            break
        file = opened(path, replace(asked, left=left))
        found = (file.layout, file.options)
        if forms and (found[0] is not forms[0][0] or found[1] != forms[0][1]):
            raise UserError(f"{path}: has another form than {paths[0]}; make two sources of them")
        forms.append(found)
        sides = native.side_names(*found)
        for frame in file.frames:
            rows.add(native.hashed(frame.lazy(), sides).collect())
            if not rows.rows and ledger.rows >= bounds.HOPELESS:
                most = native.most(ledger.bad)
                raise UserError(f"{path}: none of {ledger.rows:,} rows can be used; most: {most}")
    if not rows.rows:
        most = f"; most: {native.most(ledger.bad)}" if ledger.bad else ""
        raise UserError(f"{paths[0]}: none of {ledger.rows} rows can be used{most}")
    return forms[0]


def _told(ignored: list[str]) -> str:
    """What the last line says of columns that nothing reads."""
    named = ", ".join(ignored[:8]) + (", ..." if len(ignored) > 8 else "")
    return f"not read: {named}" if ignored else ""


if __name__ == "__main__":
    sys.exit(main())
