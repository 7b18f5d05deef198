"""Gate tables of one kind: run their SQL checks, write the report, fail if a row breaks one.

Run: python -m pipelines.stages.gate --table-name pairs \\
    --table data/iterations/iter1/pairs.parquet \\
    --view rejects=data/iterations/iter1/pair_rejects.parquet --view metrics=... --report ...

A view is a Parquet table, a folder of sources (every */table.parquet in it), or a metrics JSON,
read as a table of dotted keys and numbers.

A folder named * is each source of the kind, or each policy that is evaluated, as the recipe has
them: 'data/sources/sft/*/table.parquet', quoted, so that no shell reads it. In a view it is the
same one, and the report has the verdict of each by its name.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from glob import glob
from pathlib import Path
from typing import Any

from curation.core.errors import UserError
from curation.core.schema import Table
from curation.gates import locked_duckdb, sql_checks
from pipelines.core import io, stage
from pipelines.core.arguments import Arguments, foreach, option, reads, writes
from pipelines.core.params import Params, load
from pipelines.core.stage import Stage

EACH = "*"


class Args(Arguments):
    """What the stage reads, writes and is told."""

    table: Path = reads()
    report: Path = writes()
    table_name: str = foreach(choices=sorted(sql_checks.TABLES))
    view: tuple[str, ...] = option(default=(), metavar="NAME=PATH")

    def inputs(self) -> list[Path]:
        """Every table, where a folder is named *."""
        if EACH not in self.table.parts:
            return super().inputs()
        return [self.params, *map(Path, sorted(glob(str(self.table))))]


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the flags, run the checks, write the report; the exit code, 2 when a check fails."""
    return stage.run("gate", Args, body, argv)


def body(run: Stage, args: Args) -> None:
    """Check every table, write the report, and refuse the first that a row breaks."""
    params = load(args.params)
    found = {name: _checked(args, name, params) for name in _names(args, params)}
    bad = [name for name, report in found.items() if not report["passed"]]
    several = {"passed": not bad, "tables": found}
    run.outputs.json(args.report, several if EACH in args.table.parts else found[""])
    if bad:
        run.outputs.commit()  # the report of a failed gate is there to be read
        more = f"; {len(bad) - 1} more tables failed" if len(bad) > 1 else ""
        first = f"{_at(args.table, bad[0])}: {sql_checks.complaint(found[bad[0]])}"
        raise UserError(f"{first}{more}; see {args.report}")
    run.summary.rows_in = run.summary.kept = sum(report["rows"] for report in found.values())
    count = sum(len(report["checks"]) for report in found.values())
    run.summary.note = f"{args.table_name}: {count} checks hold"


def _names(args: Args, params: Params) -> list[str]:
    """What the recipe says the folder * is: the sources of the kind, or the policies evaluated."""
    if EACH not in args.table.parts:
        return [""]
    if args.table_name == "evaluation":
        return list(params.evaluation.policies)
    kind = args.table_name.removeprefix("source_")
    found = [name for name, source in params.sources.items() if source.kind == kind]
    if not found and not (kind == "sft" and params.sft is None):
        raise UserError(
            f"--table {args.table}: {args.params} names no {args.table_name} for {EACH}"
        )
    return found


def _at(pattern: Path, name: str) -> Path:
    """The path with the folder * named."""
    return Path(*(name if part == EACH else part for part in pattern.parts))


def _checked(args: Args, name: str, params: Params) -> dict[str, Any]:
    """Open the views of one table and run its checks; their report."""
    given = {"this": args.table, **dict(map(_named, args.view))}
    views = {key: _at(path, name) for key, path in given.items()}
    numbers = {"bounds": params.gates.max_rule_rate} | {
        key: dict(_numbers(io.read_json(path), ""))
        for key, path in views.items()
        if path.suffix == ".json"
    }
    files = {
        key: _files(key, path, sql_checks.TABLES[args.table_name])
        for key, path in views.items()
        if path.suffix != ".json"
    }
    checks = sql_checks.checks_of(args.table_name, [*files, *numbers])
    if args.table_name == "sft_mix" and not params.sft_mix.members:  # of sft: null, as it should be
        checks = [check for check in checks if check.name != "not_empty"]
    connection = locked_duckdb.connect(files, numbers, bounds_of(params))
    return sql_checks.run(checks, connection, args.table_name)


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
            io.scan(file, table, keyed=name != "this")  # the report names this one's duplicates
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
