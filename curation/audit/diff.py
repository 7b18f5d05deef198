"""`prefloop diff A B`: what was added, removed or flipped between two versions of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from curation.audit.connect import rows
from curation.core import schema
from curation.core.errors import UserError
from curation.core.statements import statement

TABLES: dict[str, tuple[schema.Table, str, str]] = {
    "pairs": (schema.PAIRS, "iteration", "iterations/*/pairs.parquet"),
    "preferences": (schema.PREFERENCES, "source", "sources/preference/*/table.parquet"),
    "mixes": (schema.MIXES, "source", "mixes/*/mix.parquet"),
    "history": (schema.HISTORY, "origin", "iterations/*/history.parquet"),
}
"""Table name -> its schema, the column its shifts are grouped by, its files under the build."""

EXAMPLES = 3
_SEVERAL = ("mixes", "history")
_PLACED = """regexp_extract(filename, '([^/]+)/[^/]+$', 1) || ' ' || "{}\""""


@dataclass(frozen=True)
class Difference:
    """Two versions of a table compared by key.

    A pair that is removed on one side and added on the other with chosen and rejected exchanged
    counts as flipped, in neither of the other two. Shifts are of the group's means, B less A.
    """

    table: str
    counts: dict[str, int]
    groups: list[dict[str, Any]]
    examples: dict[str, list[dict[str, Any]]]


def compare(
    name: str, old: Sequence[Path], new: Sequence[Path], *, apart: bool = False
) -> Difference:
    """Compare two versions of a table of comparisons.

    Args:
        name: a key of TABLES.
        old, new: the Parquet files of the two versions; no files stand for an empty table.
        apart: a pair may stand in several of a build's files (two mixes, the histories of two
            policies): compare each file with the one in the folder of the same name.

    Raises:
        UserError: the name is unknown or a file is not a readable table of this kind.
    """
    if name not in TABLES:
        raise UserError(f"--table {name}: one of {', '.join(TABLES)}")
    table, column, _ = TABLES[name]
    group = _PLACED.format(column) if apart and name in _SEVERAL else f'"{column}"'
    con = duckdb.connect(":memory:")
    try:
        _load(con, "a", table, group, old)
        _load(con, "b", table, group, new)
        con.execute(_STATUS)
        counts = {row["status"]: int(row["pairs"]) for row in rows(con, _COUNTS)}
        every = ("unchanged", "added", "removed", "flipped")
        return Difference(
            table=name,
            counts={status: counts.get(status, 0) for status in every},
            groups=rows(con, _SHIFTS),
            examples={status: _examples(con, status) for status in every[1:]},
        )
    finally:
        con.close()


def _load(
    con: duckdb.DuckDBPyConnection,
    side: str,
    table: schema.Table,
    group: str,
    files: Sequence[Path],
) -> None:
    """One version as a temp table: ids, group, hashes of the texts, margin and lengths."""
    chars = table.name in ("pairs", "preferences", "mixes")
    lengths = (
        "chosen_chars, rejected_chars"
        if chars
        else "len(chosen[-1].content) as chosen_chars, len(rejected[-1].content) as rejected_chars"
    )
    columns = (
        f"pair_id, prompt_id, {group} as grouped, md5(chosen::varchar) as c, "
        f"md5(rejected::varchar) as r, margin, {lengths}, prompt[-1].content as prompt, "
        "chosen[-1].content as chosen, rejected[-1].content as rejected"
    )
    source = "read_parquet(?, filename = true)" if files else _empty()
    try:
        con.execute(
            f"create table {side} as select distinct on (pair_id, grouped) {columns} from {source} "
            "order by pair_id, grouped",
            [[str(file) for file in files]] if files else [],
        )
    except duckdb.Error as error:
        where = ", ".join(str(file) for file in files[:3])
        raise UserError(
            f"{where}: not a readable table of {table.name} ({str(error).splitlines()[0]})"
        ) from error


def _empty() -> str:
    messages = "null::struct(role varchar, content varchar)[]"
    return (
        "(select null::varchar as pair_id, null::varchar as prompt_id, null::varchar as source, "
        "null::varchar as iteration, null::varchar as origin, null::varchar as filename, "
        "null::double as margin, "
        "null::bigint as chosen_chars, null::bigint as rejected_chars, "
        f"{messages} as prompt, {messages} as chosen, {messages} as rejected where false)"
    )


_STATUS = statement("curation.audit", "diff/status")


def _examples(con: duckdb.DuckDBPyConnection, status: str) -> list[dict[str, Any]]:
    query = statement("curation.audit", "diff/examples")
    return rows(con, query, {"status": status, "shown": EXAMPLES})


_COUNTS = "select status, count(*) as pairs from status group by status"

_SHIFTS = statement("curation.audit", "diff/shifts")
