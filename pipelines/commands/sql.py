"""prefloop sql: ask any table of the build in SQL.

Run: prefloop sql "select count(*) from pairs"

Views: sources preferences rejects mixes prompts generations scores pairs history reference
checks metrics lengths checkpoints evaluation_generations evaluation_scores length_bias_scores
sft sft_mix prompt_source benchmark reviews. The build is read-only; nothing outside it can be read.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from curation.audit import csv_text, sql
from curation.audit.text import table
from curation.core.errors import UserError
from pipelines.core.outputs import atomic
from pipelines.shared import asking

TASK = "ask a build"

FORMATS = ("table", "csv", "json", "parquet")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = asking.parser("sql", __doc__)
    parser.add_argument("query", nargs="?", help="one SELECT")
    parser.add_argument("-f", "--file", type=Path, metavar="FILE", help="read the query from FILE")
    parser.add_argument("-n", "--name", help="run a shipped query")
    parser.add_argument("--list", action="store_true", help="name the shipped queries")
    parser.add_argument("--format", choices=FORMATS, help="table, or by the name of --out")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write there instead")
    parser.add_argument("--export", type=Path, metavar="FILE", help="copy all views to a .duckdb")
    args = parser.parse_args(argv)
    return asking.guard("sql", lambda: _body(args))


def _body(args: argparse.Namespace) -> None:
    if args.list:
        print(table(["query", "answers"], [(q.name, q.sentence) for q in sql.shipped()], 120))
        return
    if args.export:
        names = sql.export(args.data, args.export)
        print(f"{args.export}: {len(names)} tables")
        return
    frame = sql.run(args.data, _query(args))
    _write(frame, args.format or _format_of(args.out), args.out)


def _query(args: argparse.Namespace) -> str:
    given = [value for value in (args.query, args.file, args.name) if value is not None]
    if len(given) != 1:
        raise UserError("give one of: a query, -f FILE, -n NAME (prefloop sql --list names them)")
    if args.name is not None:
        return sql.named(args.name).text
    if args.file is not None:
        return _text(args.file)
    return str(args.query)


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{file}: not UTF-8 text; give a file that holds one SELECT") from error


def _format_of(out: Path | None) -> str:
    suffix = out.suffix.removeprefix(".") if out else ""
    return suffix if suffix in FORMATS else "table"


def _write(frame: pl.DataFrame, kind: str, out: Path | None) -> None:
    if out is None and kind == "parquet":
        raise UserError("--format parquet: needs --out FILE, a terminal cannot show it")
    if out is None:
        sys.stdout.write(_rendered(frame, kind))
        return
    with atomic(out) as temp:
        if kind == "parquet":
            frame.write_parquet(temp)
        else:
            temp.write_text(_rendered(frame, kind), "utf-8")
    print(f"{out}: {frame.height} rows")


def _rendered(frame: pl.DataFrame, kind: str) -> str:
    if kind == "csv":
        return csv_text.csv_text(frame)
    if kind == "json":
        return json.dumps(frame.to_dicts(), default=str, ensure_ascii=False, indent=1) + "\n"
    rows = "row" if frame.height == 1 else "rows"
    return table(frame.columns, frame.rows()) + f"\n({frame.height} {rows})\n"


if __name__ == "__main__":
    sys.exit(main())
