"""One source standardised into frames, for several test files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl

from curation.core.schema import REJECTS
from curation.rules.filters import Filters
from curation.sources.judged import TABLES, Normaliser
from curation.sources.standardize import Outcome, standardize


def tables(
    source: Normaliser, filters: Filters, rows: pl.LazyFrame, folder: Path
) -> tuple[pl.DataFrame, pl.DataFrame, Outcome]:
    """Both tables in memory, and what the call says of them."""
    found = {"keep": TABLES[source.format.kind].empty(), "drop": REJECTS.empty()}

    def into(name: str) -> Callable[[Iterator[pl.DataFrame]], int]:
        def write(frames: Iterator[pl.DataFrame]) -> int:
            found[name] = pl.concat([found[name], *frames])
            return found[name].height

        return write

    done = standardize(rows, source, filters, None, folder, keep=into("keep"), drop=into("drop"))
    assert (done.kept, done.rejected) == (found["keep"].height, found["drop"].height)
    return found["keep"], found["drop"], done
