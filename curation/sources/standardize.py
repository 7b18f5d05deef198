"""One source: native rows to candidate items, rules, and the table of its kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from curation.core import messages
from curation.core.errors import UserError
from curation.core.ordered import PART, Spill, ahead, batches
from curation.core.schema import MESSAGES
from curation.core.threads import mapped
from curation.rules import filters
from curation.rules.filters import Bound
from curation.sources.base import renames
from curation.sources.judged import CountTokens, Normaliser, finish, orphans, reject_rows, with_ids
from curation.sources.plan import Plan, plan_of

col = pl.col
BATCH = PART


Write = Callable[[Iterator[pl.DataFrame]], int]
"""Takes frames in key order to their end and returns how many rows they had."""


@dataclass(frozen=True)
class Outcome:
    """What became of one source: its native rows, candidate items and rows of both tables."""

    native_rows: int
    items: int
    kept: int
    rejected: int


@dataclass(frozen=True)
class _Judged:
    """A batch behind the first rules: native rows without an item, drops, living items by key."""

    native_rows: int
    items: int
    alone: pl.DataFrame
    rejects: pl.DataFrame
    named: pl.DataFrame


@dataclass(frozen=True)
class Gathered:
    """All living items in order of their future key, and what was dropped on the way to them."""

    native_rows: int
    items: int
    living: Spill
    gone: Spill
    crowds: list[pl.DataFrame]


def standardize(
    native: pl.LazyFrame,
    source: Normaliser,
    count: CountTokens | None,
    folder: Path,
    *,
    keep: Write,
    drop: Write,
) -> Outcome:
    """Bring one source from native rows to its table and its rejects, in constant memory.

    Candidate items are judged batch by batch and spilled in order of their future key; read back
    in that order, copies of one item stand together.

    Args:
        native: rows in the form of the source's layout.
        source: its names, options and rules.
        count: counts tokens; None where there is no tokenizer.
        folder: for the spills.
        keep: writes the table of the kind, by its key.
        drop: writes the rejects, by item_id.

    Raises:
        UserError: a listed rule reads what the format does not give, or needs a tokenizer.
    """
    plan = plan_of(source)
    found = _gather(native, source, plan, count, folder)
    kept = keep(_survivors(found, source, plan, count))
    return Outcome(found.native_rows, found.items, kept, drop(found.gone.parts()))


def _gather(
    native: pl.LazyFrame, source: Normaliser, plan: Plan, count: CountTokens | None, folder: Path
) -> Gathered:
    """Judge all native rows by the rules up to the first that looks at other rows."""
    living, gone = Spill(folder / "items", "_key"), Spill(folder / "rejects", "item_id")
    native_rows = items = 0
    crowds = []
    frames = _batches(native, source)

    def judged(batch: pl.DataFrame) -> _Judged:
        return _judge(batch, source, plan, count)

    # tokens are counted by a Python function: see curation.core.threads
    for done in map(judged, ahead(frames)) if plan.counts else mapped(judged, frames):
        native_rows += done.native_rows
        items += done.items
        gone.add(done.alone)
        gone.add(done.rejects)
        living.add(done.named)
        if plan.ranks:
            crowds.append(done.named.select(_CROWD))
    return Gathered(native_rows, items, living, gone, crowds)


def _judge(
    batch: pl.DataFrame, source: Normaliser, plan: Plan, count: CountTokens | None
) -> _Judged:
    items = candidates(batch.lazy(), source, plan.rules, count)
    judged = filters.judge(items, plan.first).collect()
    alone = orphans(batch, judged, source)
    alive = judged.lazy().filter(col("_rule").is_null())
    if plan.one_prompt:
        alive = alive.with_columns(_once)
    named = with_ids(alive, source).sort("_key", maintain_order=True).collect()
    rejects = _rejects(judged, source, plan.first)
    return _Judged(batch.height, judged.height + alone.height, alone, rejects, named)


def _survivors(
    found: Gathered, source: Normaliser, plan: Plan, count: CountTokens | None
) -> Iterator[pl.DataFrame]:
    """Frames of the kind's table, in key order; copies and crowds go to the rejects."""
    places = _places(found.crowds) if plan.ranks else None
    for part in found.living.parts():
        alive = part
        if plan.waits or _has_copies(part):
            alive = _first_of_each(part, places, source, plan, found.gone)
        yield finish(alive.lazy(), source, count).collect()


def _first_of_each(
    part: pl.DataFrame, places: pl.DataFrame | None, source: Normaliser, plan: Plan, gone: Spill
) -> pl.DataFrame:
    """The items of a part that the rules which look at other rows leave; the others are put by."""
    on = ["source_row", "item"]
    placed = part if places is None else part.join(places, on=on, maintain_order="left")
    if plan.one_prompt:
        placed = placed.with_columns(_twice)
    judged = filters.judge(placed.lazy(), plan.later).collect()
    gone.add(_rejects(judged, source, plan.later))
    return judged.filter(col("_rule").is_null())


def _places(crowds: list[pl.DataFrame]) -> pl.DataFrame:
    """Each living item's place among those of its prompt, over all batches."""
    order = [-col("_priority"), col("_key")]
    place = pl.int_range(pl.len()).over("prompt_id", order_by=order)
    crowd = pl.concat(crowds).with_columns(place.alias("_place"))
    return crowd.select("source_row", "item", "_place")


def _rejects(judged: pl.DataFrame, source: Normaliser, rules: Sequence[Bound]) -> pl.DataFrame:
    return reject_rows(judged.filter(col("_rule").is_not_null()), source, rules)


_other = col("_other_prompt")
_once = pl.when(_other.is_not_null()).then(pl.lit([], dtype=MESSAGES)).alias("_other_prompt")
_twice = pl.when(_other.is_not_null()).then("prompt").alias("_other_prompt")
_CROWD = ("source_row", "item", "prompt_id", "_priority", "_key")


def _has_copies(part: pl.DataFrame) -> bool:
    """Whether a key stands more than once in a sorted part."""
    key = part["_key"]
    return bool((key == key.shift()).any())


def _batches(native: pl.LazyFrame, source: Normaliser) -> Iterator[pl.DataFrame]:
    """The native rows a batch at a time, or all at once where a format pairs rows with rows."""
    if source.layout.pairs_rows:
        return iter([native.collect()])
    return batches(native, BATCH)


def candidates(
    native: pl.LazyFrame, source: Normaliser, rules: Sequence[Bound], count: CountTokens | None
) -> pl.LazyFrame:
    """Candidate items, with token counts where a rule reads them."""
    named = native.rename(renames(source.layout, source.options))
    items = source.layout.expand(named, source.options)
    if any("prompt_tokens" in rule.needs for rule, _ in rules):
        if count is None:
            raise UserError(
                f"sources.{source.name}.filters: over_long_prompt needs --tokenizer to count with"
            )
        items = items.with_columns(count(messages.contents(col("prompt"))).alias("prompt_tokens"))
    _check_needs(items, rules, source)
    return items


def _check_needs(items: pl.LazyFrame, rules: Sequence[Bound], source: Normaliser) -> None:
    have = items.collect_schema()
    for rule, _ in rules:
        missing = [name for name in rule.needs if name not in have]
        if missing:
            raise UserError(
                f"sources.{source.name}.filters: {rule.name} reads "
                f"{', '.join(missing).replace('_', ' ').strip()}, "
                f"which format {source.format.name} does not give"
            )
