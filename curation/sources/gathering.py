"""The first pass: candidate items, the rules that look at one alone, a spill in order of keys."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from curation.core.errors import UserError
from curation.core.ordered import PART, Spill, ahead, batches
from curation.core.schema import MESSAGES
from curation.core.threads import mapped
from curation.rules.asked import ask
from curation.rules.filters import Filters
from curation.sources.candidates import candidates
from curation.sources.judged import CountTokens, Normaliser, orphans, reject_rows, with_ids

col = pl.col
BATCH = PART
_CROWD = ("source_row", "item", "prompt_id", "_priority", "_key")
_other = col("_other_prompt")
_once = pl.when(_other.is_not_null()).then(pl.lit([], dtype=MESSAGES)).alias("_other_prompt")


@dataclass(frozen=True)
class Gathered:
    """All living items in order of their future key, and what was dropped on the way to them.

    Attributes:
        crowds: what ranks the living items of each prompt; empty where no rule reads it.
    """

    native_rows: int
    items: int
    living: Spill
    gone: Spill
    crowds: list[pl.DataFrame]


@dataclass(frozen=True)
class _Judged:
    """A batch behind the first rules: native rows, items, drops, living items by key."""

    native_rows: int
    items: int
    alone: pl.DataFrame
    rejects: pl.DataFrame
    named: pl.DataFrame
    scored: bool


def gather(
    native: pl.LazyFrame,
    source: Normaliser,
    filters: Filters,
    count: CountTokens | None,
    folder: Path,
) -> Gathered:
    """Judge all native rows, batch by batch, by the rules up to the first that looks at others.

    Raises:
        UserError: a rule compares scores that no row has.
    """

    def judged(batch: pl.DataFrame) -> _Judged:
        items = candidates(batch.lazy(), source, filters, count)
        whole, dropped = ask(items, filters.first)
        alone = orphans(batch, whole, source)
        alive = whole.lazy().filter(col("_rule").is_null())
        if filters.one_prompt:
            alive = alive.with_columns(_once)
        named = with_ids(alive, source).sort("_key", maintain_order=True).collect()
        rejects = reject_rows(dropped, source)
        scored = whole["chosen_score"].null_count() < max(1, whole.height)
        return _Judged(batch.height, whole.height + alone.height, alone, rejects, named, scored)

    # where a format pairs rows with rows, all at once
    frames = iter([native.collect()]) if source.layout.pairs_rows else batches(native, BATCH)
    # tokens are counted by a Python function: see curation.core.threads
    several = map(judged, ahead(frames)) if filters.counts else mapped(judged, frames)
    living, gone = Spill(folder / "items", "_key"), Spill(folder / "rejects", "item_id")
    native_rows = items = 0
    scored = False
    crowds = []
    for done in several:
        native_rows += done.native_rows
        items += done.items
        scored = scored or done.scored
        gone.add(done.alone)
        gone.add(done.rejects)
        living.add(done.named)
        if filters.ranks:
            crowds.append(done.named.select(_CROWD))
    if items and not scored:
        _refuse_scoreless(source, filters)
    return Gathered(native_rows, items, living, gone, crowds)


def _refuse_scoreless(source: Normaliser, filters: Filters) -> None:
    """Raise UserError where a rule compares scores that no row has: it would never drop one."""
    blind = [rule.name for rule in filters.rules if rule.scored]
    if blind:
        raise UserError(
            f"sources.{source.name}.filters: {blind[0]} reads chosen_score and rejected_score, "
            f"which no row of format {source.format.name} has; name the columns that hold them in "
            "options.columns, or take the rule out"
        )
