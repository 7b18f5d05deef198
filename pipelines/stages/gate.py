"""Gate one table: run its SQL checks, write the report, fail if a row breaks one.

Run: python -m pipelines.stages.gate --table-name pairs \\
    --table data/iterations/iter1/pairs.parquet \\
    --view rejects=data/iterations/iter1/pair_rejects.parquet --view metrics=... --report ...

A view is a Parquet table, a folder of sources (every */table.parquet in it), or a metrics JSON,
read as a table of dotted keys and numbers.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from curation.core.errors import UserError
from curation.core.schema import Table
from curation.gates import locked_duckdb, sql_checks
from pipelines.core import io, stage
from pipelines.core.arguments import Arguments, foreach, option, reads, writes
from pipelines.core.params import Params, load
from pipelines.core.stage import Stage


class Args(Arguments):
    """What the stage reads, writes and is told."""

    table: Path = reads()
    report: Path = writes()
    table_name: str = foreach(choices=sorted(sql_checks.TABLES))
    view: tuple[str, ...] = option(default=(), metavar="NAME=PATH")


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the flags, run the checks, write the report; the exit code, 2 when a check fails."""
    return stage.run("gate", Args, body, argv)


def body(run: Stage, args: Args) -> None:
    """Open the views, run the checks of the table, write the report."""
    params = load(args.params)
    views = {"this": args.table, **dict(map(_named, args.view))}
    numbers = {"bounds": params.gates.max_rule_rate} | {
        name: dict(_numbers(io.read_json(path), ""))
        for name, path in views.items()
        if path.suffix == ".json"
    }
    files = {
        name: _files(name, path, sql_checks.TABLES[args.table_name])
        for name, path in views.items()
        if path.suffix != ".json"
    }
    checks = sql_checks.checks_of(args.table_name, [*files, *numbers])
    connection = locked_duckdb.connect(files, numbers, bounds_of(params))
    report = sql_checks.run(checks, connection, args.table_name)
    run.outputs.json(args.report, report)
    if not report["passed"]:
        run.outputs.commit()  # the report of a failed gate is there to be read
        raise UserError(f"{args.table}: {sql_checks.complaint(report)}; see {args.report}")
    run.summary.rows_in = run.summary.kept = report["rows"]
    run.summary.note = f"{args.table_name}: {len(checks)} checks hold"


def bounds_of(params: Params) -> dict[str, float]:
    """The bounds that params.gates states, as SQL variables."""
    return params.gates.model_dump(exclude={"max_rule_rate", "chosen_longer_rate"})


def _named(text: str) -> tuple[str, Path]:
    name, equals, path = text.partition("=")
    if not (name and equals and path):
        raise UserError(f"--view {text}: want NAME=PATH")
    return name, Path(path)


def _files(name: str, path: Path, this: Table) -> list[str]:
    """The Parquet files of a view, each checked against the schema of its table."""
    table = this if name == "this" else sql_checks.VIEWS.get(name)
    files = sorted(path.glob("*/table.parquet")) if path.is_dir() else [path]
    if not files:
        raise UserError(f"{path}: no */table.parquet in it for the view {name}")
    for file in files:
        if table is not None:
            io.scan(file, table)
        elif not file.is_file():
            raise UserError(f"{file}: no such file; run the stage that writes it first")
    return [str(file) for file in files]


def _numbers(value: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, float]]:
    """Every number of a JSON object under its dotted key."""
    for key, item in value.items():
        if isinstance(item, dict):
            yield from _numbers(item, f"{prefix}{key}.")
        elif isinstance(item, int | float) and not isinstance(item, bool):
            yield f"{prefix}{key}", float(item)


if __name__ == "__main__":
    sys.exit(main())
