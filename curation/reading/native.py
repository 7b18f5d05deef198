"""Native rows to the columns a format needs, typed; whatever does not fit is a reject."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice

import orjson
import polars as pl

from curation.core import ids
from curation.core.errors import UserError
from curation.reading import written
from curation.reading.fit import MisfitError, fitted, parsed, shape_of, shapes
from curation.reading.readers import Bad, Row, Texts
from curation.reading.turns import TOOL_COLUMNS, given
from curation.sources.aliases import with_aliases
from curation.sources.base import Format, Layout, Options, Types, renames
from curation.sources.formats import FORMATS

BATCH = 8_192
PEEK = 256
TEXTUAL = frozenset(("string", "integer", "number", "boolean"))
"""What a text of a delimited file may be read as."""


@dataclass
class Ledger:
    """What was seen while reading: rows, columns, unreadable rows."""

    rows: int = 0
    columns: set[str] = field(default_factory=set)
    bad: list[Bad] = field(default_factory=list)

    @property
    def kept(self) -> int:
        """Rows that were read."""
        return self.rows - len(self.bad)


def choose_layout(
    form: Format, seen: Mapping[str, set[str]], options: Options, where: str
) -> Layout:
    """The published form whose columns are all there, by name and then by type.

    Args:
        seen: Column names to the JSON words for the types seen in them (`fit.shape_of`).

    Raises:
        UserError: columns are missing; the message names all of them.
    """
    lacking = {}
    named = []
    for layout in form.layouts:
        theirs = {ours: name for name, ours in renames(layout, options).items()}
        loose = [theirs.get(name, name) for name in layout.loose]
        wanted = {theirs.get(name, name): shapes(one) for name, one in layout.required.items()}
        wanted |= {
            name: wanted[name] | TEXTUAL for name in loose if "string" in wanted.get(name, ())
        }
        missing = [name for name in wanted if name not in seen]
        if not missing:
            named.append((layout, wanted))
        lacking[id(layout)] = missing
    for layout, wanted in named:
        if all(not seen[name] or seen[name] & fits for name, fits in wanted.items()):
            return layout
    if named:
        return named[0][0]
    fewest = min(lacking.values(), key=len)
    raise UserError(
        f"{where}: lacks the column{'s' * (len(fewest) > 1)} {', '.join(fewest)}, which format "
        f"{form.name} reads; it has {', '.join(sorted(seen)) or 'none'}{_others(form, seen)}"
    )


def _others(form: Format, seen: Mapping[str, set[str]]) -> str:
    """The formats of the same kind whose columns are all there, for an error's end."""
    others = [
        one.name
        for one in FORMATS.values()
        if one.kind == form.kind
        and any(fits(layout, seen, with_aliases(one, {}, seen)) for layout in one.layouts)
    ]
    return f"; formats that read these: {', '.join(others)}" if others else ""


def fits(layout: Layout, seen: Mapping[str, set[str]], options: Options) -> bool:
    """Whether a file has the columns that a layout needs, of types that it reads."""
    theirs = {ours: name for name, ours in renames(layout, options).items()}
    return all(
        theirs.get(name, name) in seen
        and (not seen[theirs.get(name, name)] or seen[theirs.get(name, name)] & shapes(dtype))
        for name, dtype in layout.required.items()
    )


def read_lists(rows: Iterator[Row | Bad]) -> Iterator[Row | Bad]:
    """The rows with message lists that stand in them as text read as lists.

    Which columns hold such texts is decided by the first rows, all of them together.
    """
    held = list(islice(rows, PEEK))
    names = written.columns(held)
    if not names:
        return chain(held, rows)
    return (written.read(row, names) for row in chain(held, rows))


def peek(rows: Iterator[Row | Bad]) -> tuple[dict[str, set[str]], list[Row | Bad]]:
    """Columns and types of the first rows, and these rows."""
    held = list(islice(rows, PEEK))
    seen: dict[str, set[str]] = {}
    for row in held:
        if isinstance(row, dict):
            for name, value in row.items():
                kinds = seen.setdefault(name, set())
                if value is not None:
                    kinds |= TEXTUAL if _is_text(row, value) else {shape_of(value)}
    return seen, held


def _is_text(row: Row, value: object) -> bool:
    return isinstance(row, Texts) and isinstance(value, str)


def typed_frames(
    rows: Iterable[Row | Bad], layout: Layout, options: Options, ledger: Ledger
) -> Iterator[pl.DataFrame]:
    """Frames of the layout's columns; rows that do not fit go to the ledger with a rule."""
    plan = Plan.of(layout, options)
    source = iter(rows)
    while batch := list(islice(source, BATCH)):
        good = list(_fitting(batch, plan, ledger))
        yield pl.DataFrame(good, schema=dict(plan.wanted), orient="row")


@dataclass(frozen=True)
class Plan:
    """How rows are read: columns of the file and their types, which are needed, which are loose."""

    wanted: Types
    needed: frozenset[str]
    loose: frozenset[str]

    @staticmethod
    def of(layout: Layout, options: Options) -> Plan:
        """The plan of a layout, under the file's own column names."""
        names = {ours: theirs for theirs, ours in renames(layout, options).items()}
        loose = {*layout.optional, *layout.sides, *layout.loose}
        return Plan(
            {names.get(name, name): dtype for name, dtype in layout.columns.items()},
            frozenset(names.get(name, name) for name in layout.required),
            frozenset(names.get(name, name) for name in loose),
        )


def _fitting(batch: list[Row | Bad], plan: Plan, ledger: Ledger) -> Iterator[Row]:
    for row in batch:
        ledger.rows += 1
        if isinstance(row, Bad):
            ledger.bad.append(row)
            continue
        ledger.columns.update(row)
        try:
            yield _fit_row(row, plan)
        except MisfitError as wrong:
            raw = orjson.dumps(row, default=str).decode()
            ledger.bad.append(Bad(wrong.rule, str(wrong), raw))


def _fit_row(row: Row, plan: Plan) -> Row:
    """The row cut to the wanted columns.

    Raises:
        MisfitError: a needed value is missing, or one is of another type.
    """
    for name in TOOL_COLUMNS:
        if row.get(name) and name not in plan.wanted and given(row[name]):
            raise MisfitError(f"{name}: declared beside the conversation", "tool_calls")
    made: Row = {}
    for name, dtype in plan.wanted.items():
        value = row.get(name)
        if isinstance(row, Texts) and isinstance(value, str):
            value = parsed(value, dtype)
        if value is None and name in plan.needed:
            raise MisfitError(f"{name}: missing", "missing_value")
        made[name] = fitted(value, dtype, name, name in plan.loose)
        if made[name] is None and name in plan.needed:
            raise MisfitError(f"{name}: missing", "missing_value")
    return made


def with_row_ids(frame: pl.LazyFrame) -> pl.LazyFrame:
    """The frame with source_row: the hash of each row's canonical JSON, "-1", "-2" for repeats."""
    return numbered(hashed(frame))


def hashed(frame: pl.LazyFrame, sides: Collection[str] = ()) -> pl.LazyFrame:
    """The frame with source_row: the hash of each row's canonical JSON.

    Args:
        sides: Columns that are no part of it where they are null.
    """
    names = sorted(frame.collect_schema())
    row = pl.struct([name for name in names if name not in sides]).struct.json_encode()
    if beside := [name for name in names if name in sides]:
        some = pl.any_horizontal(pl.col(name).is_not_null() for name in beside)
        more = pl.when(some).then(pl.struct(beside).struct.json_encode())
        row = pl.concat_str(row, more, ignore_nulls=True)
    return frame.select(ids.digest(row).alias("source_row"), *names)


def side_names(layout: Layout, options: Options) -> frozenset[str]:
    """The file's names for a layout's sides."""
    names = {ours: theirs for theirs, ours in renames(layout, options).items()}
    return frozenset(names.get(name, name) for name in layout.sides)


def numbered(frame: pl.LazyFrame) -> pl.LazyFrame:
    """The frame with "-1", "-2" behind the repeats of a source_row."""
    seen = pl.int_range(pl.len()).over("source_row")
    name = pl.concat_str("source_row", seen, separator="-")
    return frame.with_columns(
        pl.when(seen > 0).then(name).otherwise("source_row").alias("source_row")
    )


def rejects(bad: list[Bad], source: str) -> pl.DataFrame:
    """Unreadable rows as rows of the rejects table, named by the hash of their raw text."""
    frame = pl.DataFrame(
        {
            "rule": [b.rule for b in bad],
            "detail": [b.detail for b in bad],
            "payload": [b.raw for b in bad],
        },
        schema={"rule": pl.String, "detail": pl.String, "payload": pl.String},
    )
    hashed = frame.with_columns(ids.digest(pl.col("payload")).alias("row")).with_columns(
        pl.int_range(pl.len()).over("row").alias("seen")
    )
    return hashed.select(
        pl.lit(f"fetch@{source}").alias("stage"),
        pl.concat_str(pl.lit(f"{source}:"), "row", pl.lit(":"), "seen").alias("item_id"),
        pl.lit(source).alias("source"),
        "rule",
        "detail",
        "payload",
    )


def most(bad: list[Bad]) -> str:
    """The commonest fault as text, for the error of a file without a valid row."""
    (rule, detail), count = Counter((one.rule, one.detail) for one in bad).most_common(1)[0]
    return f"{count} x {rule} ({detail})"
