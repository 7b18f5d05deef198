"""The second pass: items by key, the rules that look at others, the table of the kind."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from curation.rules.asked import ask
from curation.rules.filters import Filters
from curation.sources.gathering import Gathered
from curation.sources.judged import CountTokens, Normaliser, finish, reject_rows

col = pl.col
_twice = pl.when(col("_other_prompt").is_not_null()).then("prompt").alias("_other_prompt")


def survivors(
    found: Gathered, source: Normaliser, filters: Filters, count: CountTokens | None
) -> Iterator[pl.DataFrame]:
    """Frames of the kind's table, in key order; copies and crowds go to the rejects."""
    places = _places(found.crowds) if filters.ranks else None
    for part in found.living.parts():
        alive = part
        if filters.waits or _has_copies(part):
            judged, dropped = ask(_placed(part, places, filters), filters.later)
            found.gone.add(reject_rows(dropped, source))
            alive = judged.filter(col("_rule").is_null())
        yield finish(alive.lazy(), source, count).collect()


def _places(crowds: list[pl.DataFrame]) -> pl.DataFrame:
    """Each living item's place among those of its prompt, over all batches."""
    order = [-col("_priority"), col("_key")]
    place = pl.int_range(pl.len()).over("prompt_id", order_by=order)
    crowd = pl.concat(crowds).with_columns(place.alias("_place"))
    return crowd.select("source_row", "item", "_place")


def _placed(part: pl.DataFrame, places: pl.DataFrame | None, filters: Filters) -> pl.LazyFrame:
    """The items with all that the later rules read."""
    on = ["source_row", "item"]
    placed = part if places is None else part.join(places, on=on, maintain_order="left")
    return placed.lazy().with_columns(_twice if filters.one_prompt else [])


def _has_copies(part: pl.DataFrame) -> bool:
    """Whether a key stands more than once in a sorted part."""
    key = part["_key"]
    return bool((key == key.shift()).any())
