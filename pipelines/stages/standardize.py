"""Standardise one source: native rows -> the table of its kind + rejects.

Run: python -m pipelines.stages.standardize --source hh_rlhf --native N.parquet --table T.parquet \
--rejects R.parquet --metrics M.json [--tokenizer tokenizer.json] \
[--control control_tokens.json]
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from curation.core import schema, statistics, tokens
from curation.core.errors import UserError
from curation.reading import native, native_parquet
from curation.rules import filters
from curation.sources.aliases import with_aliases
from curation.sources.formats import find
from curation.sources.judged import TABLES, Normaliser
from curation.sources.standardize import standardize
from pipelines.core import io, params, stage
from pipelines.core.arguments import Arguments, foreach, reads, writes
from pipelines.core.scratch import scratch
from pipelines.core.stage import Stage
from pipelines.shared import source_files


class Args(Arguments):
    """What the stage reads, writes and is told."""

    native: Path = reads()
    tokenizer: Path | None = reads(default=None)
    control: Path | None = reads(default=None)
    table: Path = writes()
    rejects: Path = writes()
    metrics: Path = writes()
    source: str = foreach(help="name of the source in params.yaml")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; 0, or 2 on bad input."""
    return stage.run("standardize", Args, _body, argv)


def _body(run: Stage, args: Args) -> None:
    key = f"sources.{args.source}"
    given = source_files.configured(params.load(args.params), args.source, args.params)
    control = io.read_json(args.control)["turns"] if args.control else ()
    rules = filters.of_source(given.filters, given.kind, f"{key}.filters", control)
    form = find(given.format, given.kind, key)
    form.check_options(given.options, key)
    found = native_parquet.parquet_words(io.parquet_schema(args.native))
    options = with_aliases(form, given.options, found)
    layout = native.choose_layout(form, found, options, str(args.native))
    source = Normaliser(
        args.source, form, layout, options, annotator=given.annotator, license=given.license
    )
    rows = io.scan(args.native, layout.table(args.source, options))
    count = tokens.counter(args.tokenizer) if args.tokenizer else None
    with scratch() as folder:
        keep = partial(run.outputs.parts, args.table, TABLES[given.kind])
        drop = partial(run.outputs.parts, args.rejects, schema.REJECTS)
        done = standardize(rows, source, rules, count, folder, keep=keep, drop=drop)
    items, kept, rejected = done.items, done.kept, done.rejected
    counts = statistics.ledger(items, kept, run.outputs.staged(args.rejects))
    if not kept:
        raise UserError(
            f"{args.native}: the filters of sources.{source.name} keep none of {items} "
            f"items; drops: {counts['rules']}"
        )
    if items != kept + rejected:
        raise AssertionError(f"{source.name}: {items} items in, {kept} + {rejected} out")
    figures = FIGURES[given.kind](run.outputs.staged(args.table))
    described = {"native_rows": done.native_rows, **counts, "figures": figures}
    run.outputs.json(args.metrics, described)
    run.summary.rows_in, run.summary.kept, run.summary.rejected = items, kept, rejected


FIGURES: dict[str, Callable[[pl.LazyFrame], dict[str, Any]]] = {
    "preference": statistics.preferences,
    "sft": statistics.demonstrations,
    "prompts": statistics.prompts,
    "benchmark": lambda table: {"items": table.select(pl.len()).collect().item()},
}


if __name__ == "__main__":
    sys.exit(main())
