"""Files of one form, read once from end to end: items, counts, findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl

from curation.core.errors import UserError
from curation.core.ordered import batches
from curation.lint.checks import bound, checks_of
from curation.lint.forms import Found
from curation.lint.tally import EXAMPLES, Tally
from curation.lint.whole import Whole
from curation.reading.native import Ledger
from curation.reading.readers import Bad
from curation.reading.source_file import Asked, Opened, opened
from curation.rules import filters
from curation.sources.candidates import candidates
from curation.sources.judged import Normaliser

col = pl.col
BATCH = 16_384
_SCORES = {"chosen_score": pl.Float64, "rejected_score": pl.Float64}


class Counted(list[Bad]):
    """Unreadable rows: all are counted by rule, a few of each are kept."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def append(self, bad: Bad) -> None:
        """Count one."""
        self.counts[bad.rule] += 1
        if self.counts[bad.rule] <= EXAMPLES:
            super().append(bad)

    def extend(self, several: Iterable[Bad]) -> None:
        """Count several."""
        for bad in several:
            self.append(bad)


@dataclass
class Read:
    """What reading the files has said so far.

    Attributes:
        unread: columns that the form does not read.
        scored: whether an item has scores.
        known: columns of the native rows that are read.
    """

    tally: Tally
    whole: Whole
    bad: Counted = field(default_factory=Counted)
    rows: int = 0
    unread: tuple[str, ...] = ()
    scored: bool = False


def read(
    paths: Sequence[Path], found: Found, folder: Path, benchmarks: pl.DataFrame | None
) -> Read:
    """Read all rows of files of one form.

    Raises:
        UserError: a file is broken, or its labels need an option.
    """
    kind = found.format.kind
    done = Read(Tally(bound(checks_of(kind))), Whole(kind, benchmarks))
    ledger = Ledger(bad=done.bad)
    for items in done.tally.over(_items(paths, found, folder, ledger, done)):
        done.scored = done.scored or items["chosen_score"].null_count() < items.height
        done.whole.add(items)
    done.rows = ledger.rows
    return done


def _items(
    paths: Sequence[Path], found: Found, folder: Path, ledger: Ledger, done: Read
) -> Iterator[pl.DataFrame]:
    """Candidate items of the files; source_row is the number of the readable row."""
    start = 0
    for path in paths:
        file = opened(path, Asked(found.format, found.options, ledger, None, folder / "copies"))
        source = Normaliser("lint", found.format, file.layout, file.options)
        for native in _frames(file):
            number = pl.int_range(start, start + native.height).cast(pl.String)
            numbered = native.lazy().select(number.alias("source_row"), pl.all())
            start += native.height
            yield from _made(numbered, source)
        names = set(file.layout.table("lint", file.options).names)
        done.unread = tuple(sorted({*done.unread, *(ledger.columns - names)}))


def _frames(file: Opened) -> Iterator[pl.DataFrame]:
    """Native frames of a size; all at once where rows are paired with rows."""
    if file.layout.pairs_rows:
        yield pl.concat(file.frames)
        return
    for frame in file.frames:
        yield from frame.iter_slices(BATCH)


def _made(native: pl.LazyFrame, source: Normaliser) -> Iterator[pl.DataFrame]:
    rules = filters.Filters((), ())
    items = candidates(native, source, rules, None)
    yield from batches(items.collect().lazy(), BATCH)


def peeked(path: Path, folder: Path) -> tuple[dict[str, set[str]], list[Any]]:
    """Columns with their types, and the first rows, of a file of any form.

    Raises:
        UserError: it is missing, broken, or holds no rows.
    """
    from curation.reading import arrow_files, native, native_parquet, readers, seen

    kind = seen.kind_of_file(path)
    if kind == "rows":
        kinds, held = native.peek(native.read_lists(readers.rows(path)))
        if not kinds:
            raise seen.unread(path, held) if held else UserError(f"{path}: the file holds no rows")
        return kinds, held
    folder.mkdir(parents=True, exist_ok=True)
    table = arrow_files.as_parquet(path, folder / "copy") if kind == "arrow" else path
    try:
        first = pl.scan_parquet(table).head(native.PEEK).collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise UserError(f"{path}: not a readable Parquet file ({error})") from error
    rows = first.to_dicts()
    decoded = native.read_lists(iter(rows))
    kinds, held = native.peek(chain(decoded))
    words = native_parquet.parquet_words(first.schema)
    return {name: kinds.get(name) or words[name] for name in first.columns}, held
