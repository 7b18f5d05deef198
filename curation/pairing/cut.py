"""An iteration's tables cut into parts of its prompts: one pass over each, kept on disk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from polars_hash import NonCryptographicHashingNameSpace

from curation.core.errors import UserError
from curation.core.ordered import PART, Spill, batches
from curation.pairing.responses import SAID, SCORE, SLIM

ID = "generation_id"
ROWS = 4 * PART  # responses, with their texts, that are cut at once
_POOL = ["prompt_id", "source", "messages"]


@dataclass(frozen=True)
class Tables:
    """The three tables a pairing reads, the iteration they belong to, what people settled."""

    generations: pl.LazyFrame
    scores: pl.LazyFrame
    prompts: pl.LazyFrame
    iteration: str
    verdicts: pl.DataFrame | None = None


def cut(tables: Tables, count: int, folder: Path) -> list[Tables]:
    """The tables of ``count`` parts: the prompts whose hash falls to each, with all that is theirs.

    Memory: some batches of each table, in whatever order the tables come.

    Raises:
        UserError: an id is null, a generation_id occurs twice, a score is of no known response.
    """
    own = NonCryptographicHashingNameSpace(pl.col("prompt_id")).xxhash64() % count
    pool, said, judged = (_Cuts(folder / name, count) for name in ("pool", "said", "judged"))
    for rows in batches(tables.prompts.select(_POOL)):
        pool.add(rows.with_columns(_part=own))
    scores = _Queue(_in_order(tables.scores.select(SCORE), "scores", folder))
    for rows in _once(_in_order(tables.generations.select(*SLIM, *SAID), "generations", folder)):
        placed = rows.with_columns(_part=own)
        said.add(placed)
        found = scores.until(rows[ID][-1]).join(
            placed.select(ID, "_part"), on=ID, how="left", maintain_order="left"
        )
        _known(found.filter(pl.col("_part").is_null()))
        judged.add(found)
    _known(scores.rest())
    return [
        Tables(
            said.table(number, tables.generations.select(*SLIM, *SAID)),
            judged.table(number, tables.scores.select(SCORE)),
            pool.table(number, tables.prompts.select(_POOL)),
            tables.iteration,
            tables.verdicts,
        )
        for number in range(count)
    ]


class _Cuts:
    """Frames told apart by their column _part, each part's rows in files of their own."""

    def __init__(self, folder: Path, count: int) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self._files: list[list[Path]] = [[] for _ in range(count)]

    def add(self, frame: pl.DataFrame) -> None:
        parts = frame.partition_by("_part", as_dict=True, include_key=False)
        for (number,), rows in parts.items():
            files = self._files[number]
            files.append(self._folder / f"{number}-{len(files)}.arrow")
            rows.write_ipc(files[-1], compat_level=pl.CompatLevel.newest())

    def table(self, number: int, like: pl.LazyFrame) -> pl.LazyFrame:
        files = self._files[number]
        return pl.scan_ipc(files) if files else like.head(0)


class _Queue:
    """Frames in order of their ids, taken up to an id at a time."""

    def __init__(self, frames: Iterator[pl.DataFrame]) -> None:
        self._frames = frames
        self._held = next(frames)

    def until(self, last: str) -> pl.DataFrame:
        """The rows not yet taken whose id is not behind the last."""
        taken = []
        while True:
            end = int(self._held[ID].search_sorted(last, side="right"))
            taken.append(self._held.head(end))
            self._held = self._held.slice(end)
            if self._held.height or (more := next(self._frames, None)) is None:
                return pl.concat(taken)
            self._held = more

    def rest(self) -> pl.DataFrame:
        """Rows behind every id asked for so far."""
        return self._held


def _in_order(table: pl.LazyFrame, name: str, folder: Path) -> Iterator[pl.DataFrame]:
    """A table in order of its ids: as it stands where it has that order, else by way of a spill."""
    if _sorted(table, name):
        return batches(table, ROWS)
    spill = Spill(folder / name, ID)
    for rows in batches(table):
        spill.add(rows)
    return spill.parts(ROWS)


def _sorted(table: pl.LazyFrame, name: str) -> bool:
    last, ordered = "", True
    for rows in batches(table.select(ID), ROWS):
        ids = rows[ID]
        if ids.null_count():
            raise UserError(f"{name}: {ID} may not be null")
        ordered = ordered and ids.is_sorted() and last <= ids[0]
        last = ids[-1]
    return ordered


def _once(frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The frames, each checked to bring only new ids, with prompts."""
    last = ""
    for rows in frames:
        if rows["prompt_id"].null_count():
            raise UserError("generations: generation_id and prompt_id may not be null")
        ids = rows[ID]
        twice = ids == ids.shift(1, fill_value=last)
        if twice.any():
            raise UserError(f"generations: {ID} {ids.filter(twice)[0]} occurs twice")
        last = ids[-1]
        yield rows


def _known(stray: pl.DataFrame) -> None:
    if stray.height:
        raise UserError(
            f"scores: {stray.height} rows judge responses that generations lacks, first "
            f"{stray[ID].sort()[0]}; score these generations again"
        )
