"""Gates: SQL checks that return the rows that break them, run by DuckDB on one table.

A check is a .sql file of one of the table's folders of ``curation/gates/checks`` (its own, and
those of the shapes it shares with other tables); its first comment line is the sentence it asserts,
a line ``-- views: a, b`` names the views it reads beside ``this``. The table's own name is one of
them, so that a check can serve two tables. Files of ``curation/gates/checks/any`` run for every
table that is given the views they need. Keys and nulls are checked from ``curation.core.schema``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import duckdb

from curation.core import schema
from curation.core.errors import UserError
from curation.core.schema import Table
from curation.gates.folders import folders_of

EXAMPLES = 3
TABLES: dict[str, Table] = {
    "source_preference": schema.PREFERENCES,
    "source_sft": schema.SFT,
    "source_prompts": schema.PROMPT_SOURCE,
    "source_benchmark": schema.BENCHMARK,
    "mixes": schema.MIXES,
    "sft_mix": schema.SFT_MIX,
    "prompts": schema.PROMPTS,
    "generations": schema.GENERATIONS,
    "scores": schema.SCORES,
    "pairs": schema.PAIRS,
    "history": schema.HISTORY,
    "offline": schema.HISTORY,
    "reference": schema.REFERENCE,
    "evaluation": schema.GENERATIONS,
}
VIEWS: dict[str, Table | None] = {
    "rejects": schema.REJECTS,
    "prompts": schema.PROMPTS,
    "generations": schema.GENERATIONS,
    "scores": schema.SCORES,
    "pairs": schema.PAIRS,
    "history": schema.HISTORY,
    "benchmarks": schema.BENCHMARK,
    "native": None,
}
_HEADER = re.compile(r"-- (?P<sentence>[^\n]+)\n(?:-- views: (?P<views>[a-z_, ]+)\n)?")


@dataclass(frozen=True)
class Check:
    """One check: its name, the sentence it asserts, the views it needs, its SQL."""

    name: str
    sentence: str
    needs: tuple[str, ...]
    sql: str


def checks_of(table_name: str, views: Sequence[str]) -> list[Check]:
    """The checks of a table, by name: from the schema, from its folders, from ``any``.

    Raises:
        UserError: the table is unknown, or one of its own checks needs a view not given.
    """
    if table_name not in TABLES:
        raise UserError(f"--table-name {table_name}: unknown; tables: {', '.join(TABLES)}")
    views = [*views, TABLES[table_name].name]
    shared, *folders = folders_of(table_name)
    own = [check for name in folders for check in in_folder(name)]
    for check in own:
        missing = [view for view in check.needs if view not in views]
        if missing:
            raise UserError(
                f"{table_name}: check {check.name} reads {missing[0]}; "
                f"give it with --view {missing[0]}=PATH"
            )
    common = [check for check in in_folder(shared) if set(check.needs) <= set(views)]
    found = [*_from_schema(TABLES[table_name]), *common, *own]
    return sorted(found, key=lambda check: check.name)


def in_folder(name: str) -> list[Check]:
    """The checks of one folder of ``curation/gates/checks``, by name."""
    folder = resources.files("curation.gates") / "checks" / name
    found = [_parsed(file) for file in folder.iterdir() if file.name.endswith(".sql")]
    return sorted(found, key=lambda check: check.name)


def _parsed(file: Traversable) -> Check:
    text = file.read_text("utf-8")
    header = _HEADER.match(text)
    if header is None:
        raise UserError(f"{file}: its first line must be a comment that says what it asserts")
    views = (header["views"] or "").replace(" ", "").split(",")
    return Check(
        file.name.removesuffix(".sql"), header["sentence"], tuple(filter(None, views)), text
    )


def _from_schema(table: Table) -> list[Check]:
    """Checks that the schema implies: rows, unique keys, no nulls where none may be."""
    key = ", ".join(f'"{name}"' for name in table.key)
    nulls = " or ".join(f'"{name}" is null' for name in table.required)
    return [
        Check(
            "not_empty",
            "The table has rows.",
            (),
            "select 'no rows' as problem where not exists (select 1 from this)",
        ),
        Check(
            "keys_unique",
            f"{', '.join(table.key)} is unique.",
            (),
            f"select {key}, count(*) as copies from this group by all having count(*) > 1",
        ),
        Check(
            "no_nulls",
            "No column holds nulls but those that the schema allows.",
            (),
            f"select {key} from this where {nulls}",
        ),
    ]


def run(
    checks: Sequence[Check],
    connection: duckdb.DuckDBPyConnection,
    table_name: str,
) -> dict[str, Any]:
    """Run the checks on the connection's view ``this``; the report of the gate.

    Raises:
        UserError: DuckDB cannot run a check, because a view lacks a column or cannot be read.
    """
    own = TABLES[table_name].name
    connection.execute(f'create view if not exists "{own}" as select * from this')
    results = [_result(check, connection) for check in checks]
    rows = connection.execute("select count(*) from this").fetchone()
    assert rows is not None
    return {
        "table": table_name,
        "rows": rows[0],
        "checks": results,
        "passed": all(result["violations"] == 0 for result in results),
    }


def _result(check: Check, connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    body = check.sql.rstrip().rstrip(";")
    counted = (
        f'select count(*) over () as "\x01n", * from (\n{body}\n) order by all limit {EXAMPLES}'
    )
    try:
        cursor = connection.execute(counted)
        names = [column[0] for column in cursor.description or ()][1:]
        rows = cursor.fetchall()
    except duckdb.Error as error:
        raise UserError(f"check {check.name}: {str(error).splitlines()[0]}") from error
    return {
        "name": check.name,
        "sentence": check.sentence,
        "violations": rows[0][0] if rows else 0,
        "examples": [_plain(dict(zip(names, row[1:], strict=True))) for row in rows],
    }


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Values that JSON holds: numbers and short text."""
    return {
        name: value if isinstance(value, int | float | type(None)) else str(value)[:200]
        for name, value in row.items()
    }


def complaint(report: Mapping[str, Any]) -> str:
    """One line: the first check that failed, its violations and the first of its rows."""
    failed = [check for check in report["checks"] if check["violations"]]
    first = failed[0]
    row = ", ".join(f"{name}={value}" for name, value in first["examples"][0].items())
    more = f"; {len(failed) - 1} more checks failed" if len(failed) > 1 else ""
    return (
        f"{first['name']}: {first['violations']} rows break it ({first['sentence'].rstrip('.')}), "
        f"first {row}{more}"
    )
