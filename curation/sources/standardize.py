"""One source: native rows to candidate items, rules, and the table of its kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from curation.rules.filters import Filters
from curation.sources.gathering import gather
from curation.sources.judged import CountTokens, Normaliser
from curation.sources.surviving import survivors

Write = Callable[[Iterator[pl.DataFrame]], int]
"""Takes frames in key order to their end and returns how many rows they had."""


@dataclass(frozen=True)
class Outcome:
    """What became of one source: its native rows, candidate items and rows of both tables."""

    native_rows: int
    items: int
    kept: int
    rejected: int


def standardize(
    native: pl.LazyFrame,
    source: Normaliser,
    filters: Filters,
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
        source: its names, options and form.
        filters: its rules.
        count: counts tokens; None where there is no tokenizer.
        folder: for the spills.
        keep: writes the table of the kind, by its key.
        drop: writes the rejects, by item_id.

    Raises:
        UserError: a listed rule reads what the format does not give, or needs a tokenizer.
    """
    found = gather(native, source, filters, count, folder)
    kept = keep(survivors(found, source, filters, count))
    return Outcome(found.native_rows, found.items, kept, drop(found.gone.parts()))
