"""One source: native rows to candidate items, rules, and the table of its kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
from curation.sources.base import Kind, renames
from curation.sources.judged import CountTokens, Normaliser, finish, orphans, reject_rows, with_ids

col = pl.col
_DUPLICATE = {"prompts": "duplicate_prompt"}
BATCH = PART


@dataclass(frozen=True)
class _Judged:
    """A batch behind the first rules: native rows without an item, drops, living items by key."""

    native_rows: int
    items: int
    alone: pl.DataFrame
    rejects: pl.DataFrame
    named: pl.DataFrame


class Standardizing:
    """One source on its way from native rows to its table and rejects, in constant memory.

    Candidate items are judged batch by batch and spilled in order of their future key; read back
    in that order, copies of one item stand together. Call `read`, then `kept` to its end, then
    `rejects`.
    """

    def __init__(self, source: Normaliser, count: CountTokens | None, folder: Path) -> None:
        self.source, self.count = source, count
        self.native_rows = self.items = 0
        self._items = Spill(folder / "items", "_key")
        self._gone = Spill(folder / "rejects", "item_id")
        self._crowds: list[pl.DataFrame] = []
        duplicate = filters.bind([duplicate_rule(source.format.kind)], source.name)
        self._first, self._later = _before_window([*source.rules, *duplicate])

    def read(self, native: pl.LazyFrame) -> None:
        """Judge all native rows by the rules up to the first that looks at other rows.

        Raises:
            UserError: a listed rule reads what the format does not give, or needs a tokenizer.
        """
        frames = _batches(native, self.source)
        # tokens are counted by a Python function: see curation.core.threads
        each = map(self._judged, ahead(frames)) if self._counts else mapped(self._judged, frames)
        for done in each:
            self.native_rows += done.native_rows
            self.items += done.items
            self._gone.add(done.alone)
            self._gone.add(done.rejects)
            self._items.add(done.named)
            if self._capped:
                self._crowds.append(done.named.select(_CROWD))

    def _judged(self, batch: pl.DataFrame) -> _Judged:
        items = candidates(batch.lazy(), self.source, self._rules, self.count)
        judged = filters.judge(items, self._first).collect()
        alone = orphans(batch, judged, self.source)
        alive = judged.lazy().filter(col("_rule").is_null())
        if self._one_prompt:
            alive = alive.with_columns(_once)
        named = with_ids(alive, self.source).sort("_key", maintain_order=True).collect()
        rejects = self._rejects(judged, self._first)
        return _Judged(batch.height, judged.height + alone.height, alone, rejects, named)

    @property
    def _rules(self) -> list[Bound]:
        return [*self._first, *self._later]

    @property
    def _counts(self) -> bool:
        """Whether a rule reads the number of tokens."""
        return any("prompt_tokens" in rule.needs for rule, _ in self._rules)

    @property
    def _capped(self) -> bool:
        return any(rule.name == "per_prompt_cap" for rule, _ in self._later)

    def kept(self) -> Iterator[pl.DataFrame]:
        """Frames of the kind's table, in key order; copies and crowds go to the rejects."""
        places = self._places()
        on = ["source_row", "item"]
        for part in self._items.parts():
            alive = part
            if places is not None or self._more or _has_copies(part):
                placed = part if places is None else part.join(places, on=on, maintain_order="left")
                if self._one_prompt:
                    placed = placed.with_columns(_twice)
                judged = filters.judge(placed.lazy(), self._later).collect()
                self._gone.add(self._rejects(judged, self._later))
                alive = judged.filter(col("_rule").is_null())
            yield finish(alive.lazy(), self.source, self.count).collect()

    def rejects(self) -> Iterator[pl.DataFrame]:
        """Frames of the rejects table, in key order."""
        return self._gone.parts()

    @property
    def rejected(self) -> int:
        """Items dropped so far."""
        return self._gone.rows

    @property
    def _more(self) -> bool:
        """Whether a rule that waits looks at more than the keys."""
        return len(self._later) > 1

    @property
    def _one_prompt(self) -> bool:
        """Whether the living rows' contexts are known to be equal; they are then spilled once."""
        return any(rule.name == "unequal_prompts" for rule, _ in self._first)

    def _places(self) -> pl.DataFrame | None:
        """Each living item's place among those of its prompt, over all batches."""
        if not self._capped:
            return None
        order = [-col("_priority"), col("_key")]
        place = pl.int_range(pl.len()).over("prompt_id", order_by=order)
        crowd = pl.concat(self._crowds).with_columns(place.alias("_place"))
        return crowd.select("source_row", "item", "_place")

    def _rejects(self, judged: pl.DataFrame, rules: Sequence[Bound]) -> pl.DataFrame:
        dropped = judged.filter(col("_rule").is_not_null())
        return reject_rows(dropped, self.source, rules)


_other = col("_other_prompt")
_once = pl.when(_other.is_not_null()).then(pl.lit([], dtype=MESSAGES)).alias("_other_prompt")
_twice = pl.when(_other.is_not_null()).then("prompt").alias("_other_prompt")
_CROWD = ("source_row", "item", "prompt_id", "_priority", "_key")


def _has_copies(part: pl.DataFrame) -> bool:
    """Whether a key stands more than once in a sorted part."""
    key = part["_key"]
    return bool((key == key.shift()).any())


def _before_window(rules: list[Bound]) -> tuple[list[Bound], list[Bound]]:
    """The rules up to the first window rule, and the rest."""
    first = next(place for place, (rule, _) in enumerate(rules) if rule.window)
    return rules[:first], rules[first:]


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


def duplicate_rule(kind: Kind) -> str:
    """Name of the rule that drops a second copy of an item."""
    return _DUPLICATE.get(kind, "duplicate")


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
