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
            examples={status: rows(con, _EXAMPLES, [status, EXAMPLES]) for status in every[1:]},
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


_STATUS = """
create table status as
with sides as (
    select
        coalesce(a.pair_id, b.pair_id) as pair_id,
        coalesce(a.grouped, b.grouped) as grouped,
        coalesce(a.prompt_id, b.prompt_id) as prompt_id,
        a.pair_id is not null as in_a,
        b.pair_id is not null as in_b,
        coalesce(a.c, b.c) as c,
        coalesce(a.r, b.r) as r
    from a
    full join b on a.pair_id = b.pair_id and a.grouped = b.grouped
),

turned as (
    select gone.pair_id as old_id, come.pair_id as new_id, gone.grouped
    from sides as gone
    inner join sides as come
        on gone.prompt_id = come.prompt_id and gone.grouped = come.grouped
        and gone.c = come.r and gone.r = come.c
    where gone.in_a and not gone.in_b and come.in_b and not come.in_a
)

select
    sides.pair_id,
    sides.grouped,
    case
        when sides.in_a and sides.in_b then 'unchanged'
        when sides.in_b and n.new_id is not null then 'flipped'
        when sides.in_b then 'added'
        when o.old_id is not null then 'flipped away'
        else 'removed'
    end as status
from sides
left join turned as n on sides.pair_id = n.new_id and sides.grouped = n.grouped
left join turned as o on sides.pair_id = o.old_id and sides.grouped = o.grouped
"""

_COUNTS = "select status, count(*) as pairs from status group by status"

_SHIFTS = """
with means_a as (
    select grouped, count(*) as pairs, avg(margin) as margin,
        avg(chosen_chars) as chosen, avg(rejected_chars) as rejected
    from a group by grouped
),

means_b as (
    select grouped, count(*) as pairs, avg(margin) as margin,
        avg(chosen_chars) as chosen, avg(rejected_chars) as rejected
    from b group by grouped
),

moved as (
    select grouped,
        count_if(status = 'added')::bigint as added,
        count_if(status = 'removed')::bigint as removed,
        count_if(status = 'flipped')::bigint as flipped
    from status group by grouped
)

select moved.grouped as "group", coalesce(x.pairs, 0) as pairs_a, coalesce(y.pairs, 0) as pairs_b,
    moved.added, moved.removed, moved.flipped,
    round(y.margin - x.margin, 6) as margin_shift,
    round(y.chosen - x.chosen, 4) as chosen_chars_shift,
    round(y.rejected - x.rejected, 4) as rejected_chars_shift
from moved
left join means_a as x on moved.grouped = x.grouped
left join means_b as y on moved.grouped = y.grouped
order by moved.grouped
"""

_EXAMPLES = """
select s.pair_id, s.grouped as "group", round(t.margin, 4) as margin, t.prompt, t.chosen, t.rejected
from status as s
inner join (select * from a union all by name select * from b) as t
    on s.pair_id = t.pair_id and s.grouped = t.grouped
where s.status = ?
qualify row_number() over (partition by s.pair_id, s.grouped) = 1
order by s.pair_id, s.grouped
limit ?
"""
