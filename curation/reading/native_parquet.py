"""Native Parquet files: their types against a format's, their rows cast to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from curation.core import messages
from curation.core.errors import UserError
from curation.core.messages import ROLES
from curation.core.schema import MESSAGES
from curation.reading import native
from curation.reading.fit import MESSAGE_LISTS, MESSAGE_TYPES
from curation.reading.native import Ledger
from curation.reading.readers import Bad
from curation.reading.turns import SIDE_KEYS, TOOL_COLUMNS
from curation.sources.base import Layout, Options, renames


def from_parquet(frame: pl.LazyFrame, layout: Layout, options: Options, where: str) -> pl.LazyFrame:
    """The layout's columns of a Parquet scan, cast to its types.

    Raises:
        UserError: a column's type cannot hold what the format needs.
    """
    names = {ours: theirs for theirs, ours in renames(layout, options).items()}
    have = frame.collect_schema()
    made = []
    for ours, dtype in layout.columns.items():
        name = names.get(ours, ours)
        if name not in have:
            made.append(pl.lit(None, dtype=dtype).alias(name))
            continue
        if not castable(have[name], dtype):
            raise UserError(f"{where}: column {name} is {have[name]}, not {dtype}")
        made.append(pl.col(name).cast(dtype))
    return frame.select(made)


def with_roles(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with the speakers of its message lists named as the tables name them."""
    for name, dtype in frame.schema.items():
        if dtype == MESSAGES:
            roles = frame[name].explode(empty_as_null=False).struct.field("role")
            if roles.is_in([one for one in ROLES if ROLES[one] != one]).any():
                known = messages.role_names(pl.col(name), "role", "content", fill=False)
                frame = frame.with_columns(known.alias(name))
    return frame


def without_missing(
    frame: pl.DataFrame, layout: Layout, options: Options, ledger: Ledger
) -> pl.DataFrame:
    """The rows with a value in every needed column; the others go to the ledger."""
    names = {ours: theirs for theirs, ours in renames(layout, options).items()}
    needed = [names.get(name, name) for name in layout.required]
    lacks = pl.any_horizontal(pl.col(name).is_null() for name in needed)
    first = pl.coalesce(
        pl.when(pl.col(name).is_null()).then(pl.lit(f"{name}: missing")) for name in needed
    )
    lost = frame.filter(lacks).select(
        first.alias("detail"), pl.struct(pl.all()).struct.json_encode().alias("raw")
    )
    ledger.rows += frame.height
    ledger.bad.extend(Bad("missing_value", *row) for row in lost.iter_rows())
    return frame.filter(~lacks)


_HOLDS: dict[Any, Callable[[Any], bool]] = {
    pl.String: lambda found: found in (pl.Categorical, pl.Enum),
    pl.Float64: lambda found: found.is_numeric(),
    pl.Int64: lambda found: found.is_integer(),
}


def by_value(frame: pl.LazyFrame, layout: Layout, options: Options) -> bool:
    """Whether some columns hold what the format needs in some rows only, such as 1.0 for 1."""
    plan = native.Plan.of(layout, options)
    have = frame.collect_schema()
    if any(have.get(name, pl.Null) != pl.Null for name in TOOL_COLUMNS if name not in plan.wanted):
        return True
    found = {name: have[name] for name in plan.wanted if name in have}
    unlike = [name for name in found if not castable(found[name], plan.wanted[name])]
    return bool(unlike) and all(
        _may_hold(found[name], plan.wanted[name], name in plan.loose) for name in unlike
    )


def _may_hold(found: Any, wanted: Any, loose: bool) -> bool:
    if castable(found, wanted):
        return True
    if wanted in MESSAGE_LISTS or wanted in MESSAGE_TYPES:
        return isinstance(found, pl.Struct | pl.List | pl.Array)
    if isinstance(wanted, pl.List) and isinstance(found, pl.List | pl.Array):
        return _may_hold(found.inner, wanted.inner, loose)
    if isinstance(wanted, pl.Struct) and isinstance(found, pl.Struct):
        inner = {one.name: one.dtype for one in found.fields}
        return all(_may_hold(inner.get(f.name, f.dtype), f.dtype, loose) for f in wanted.fields)
    if wanted in (pl.Int64, pl.Boolean) and not loose:
        return bool(found.is_float() if wanted == pl.Int64 else found.is_integer())
    return loose and _across(found, wanted)


def _across(found: Any, wanted: Any) -> bool:
    """Whether some values of a type can stand for another's, as `fit.fitted` says of loose ones."""
    if wanted == pl.String:
        return bool(found.is_numeric() or found == pl.Boolean)
    if wanted == pl.Boolean:
        return bool(found.is_integer())
    return bool(wanted.is_numeric() and (found.is_float() or found in (pl.String, pl.Boolean)))


def castable(found: Any, wanted: Any) -> bool:
    """Whether every value of a Parquet column's type has one of the wanted type."""
    if found in (wanted, pl.Null):
        return True
    if wanted in MESSAGE_TYPES:
        return isinstance(found, pl.Struct) and _plain(found, wanted)
    if isinstance(wanted, pl.List):
        return isinstance(found, pl.List | pl.Array) and castable(found.inner, wanted.inner)
    if isinstance(wanted, pl.Struct) and isinstance(found, pl.Struct):
        inner = {one.name: one.dtype for one in found.fields}
        return all(f.name not in inner or castable(inner[f.name], f.dtype) for f in wanted.fields)
    return any(wanted == dtype and holds(found) for dtype, holds in _HOLDS.items())


def _plain(found: pl.Struct, wanted: Any) -> bool:
    """Whether messages have these two texts and nothing beside them that says more."""
    inner = {one.name: one.dtype for one in found.fields}
    if any(inner.get(key, pl.Null) != pl.Null for key in SIDE_KEYS):
        return False
    return all(f.name in inner and castable(inner[f.name], f.dtype) for f in wanted.fields)


def parquet_words(schema: Mapping[str, Any]) -> dict[str, set[str]]:
    """Column names to JSON words, from a Parquet schema."""
    return {name: _parquet_word(dtype) for name, dtype in schema.items()}


def _parquet_word(dtype: Any) -> set[str]:
    if dtype == pl.Null:
        return set()
    if isinstance(dtype, pl.List | pl.Array):
        return {f"array of {word}" for word in _parquet_word(dtype.inner)} or {"array"}
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        return {"string"}
    if dtype == pl.Boolean:
        return {"boolean"}
    if dtype.is_numeric():
        return {"integer"} if dtype.is_integer() else {"number"}
    return {"object"}
