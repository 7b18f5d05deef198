"""prefloop export: write a mix in the form another program reads.

Run: prefloop export --table data/mixes/mix1/mix.parquet --form trl --split train \
--out mix1.parquet (or mix1.jsonl)
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from curation.core import plain_parquet, schema
from curation.core.errors import UserError
from curation.export.forms import FORMS
from pipelines.core import io, stage
from pipelines.core.arguments import Arguments, option, reads, writes
from pipelines.core.outputs import atomic
from pipelines.core.stage import Stage

TASK = "hand over"


class Args(Arguments):
    """What the command reads, writes and is told."""

    table: Path = reads()
    out: Path = writes()
    form: str = option(default="trl", choices=sorted(FORMS))
    split: str | None = option(default=None, choices=["train", "eval"], help="only this split")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; 0, or 2 on bad input."""
    return stage.run("export", Args, _body, argv)


def _body(run: Stage, args: Args) -> None:
    rows = io.scan(args.table, schema.MIXES)
    wanted = rows if args.split is None else rows.filter(pl.col("split") == args.split)
    made = FORMS[args.form](wanted).collect()
    if made.is_empty():
        raise UserError(f"{args.table}: no rows of split {args.split}; choose another --split")
    if args.out.suffix not in (".parquet", ".jsonl"):
        raise UserError(f"{args.out}: name a .parquet or a .jsonl file")
    with atomic(args.out) as temp:
        if args.out.suffix == ".parquet":
            plain_parquet.write(temp, made.iter_slices(65_536))
        else:
            made.write_ndjson(temp)
    run.summary.rows_in = rows.select(pl.len()).collect().item()
    run.summary.kept = made.height
    run.summary.note = f"{run.summary.rows_in - made.height} of the other split"


if __name__ == "__main__":
    sys.exit(main())
