"""Tables larger than memory in the order of a key: sorted spills, merged range by range."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

PART = 32_768  # rows of one part, also of one row group
SAMPLE = 512  # every so many rows of a sorted batch one key is remembered
BATCH = 1_024  # rows of a run that are read at once
RUNS = 64  # sorted runs that are read side by side


@dataclass(frozen=True)
class _Run:
    """Sorted rows in files that follow each other in key order, and every so many of their keys."""

    files: list[Path]
    sample: pl.Series


class Spill:
    """Frames of one schema, each sorted by the key and kept in a file, read back in key order.

    Equal keys never fall into two parts, so a window over the key sees its whole group. Memory: a
    part and a record batch of each run; so many runs that this would grow are first made fewer.
    The files are Arrow's, written and read by Arrow: Polars takes twice the time over them.
    """

    def __init__(self, folder: Path, key: str, runs: int = RUNS) -> None:
        self._folder, self._key, self._most = folder, key, max(2, runs)
        self._runs: list[_Run] = []
        self._made = 0
        self.rows = 0

    def add(self, frame: pl.DataFrame) -> None:
        """Sort a frame and put it aside.

        Raises:
            OSError: it could not be written.
        """
        if frame.is_empty():
            return
        ordered = frame.sort(self._key, maintain_order=True)
        # a list, as a series of strings would keep the whole column's buffer
        sample = pl.Series(self._key, ordered[self._key].gather_every(SAMPLE).to_list())
        self._runs.append(_Run([self._write(ordered)], sample))
        self.rows += ordered.height

    def parts(self, rows: int = PART) -> Iterator[pl.DataFrame]:
        """Sorted frames of about `rows` rows, together everything in key order."""
        self._make_fewer()
        return self._merged(self._runs, rows)

    def _write(self, frame: pl.DataFrame) -> Path:
        import pyarrow as pa

        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / f"{self._made:06d}.arrow"
        rows = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
        try:
            with pa.OSFile(str(file), "wb") as to, pa.ipc.new_file(to, rows.schema) as writer:
                writer.write_table(rows, max_chunksize=BATCH)
        except OSError as error:  # Arrow's own names neither the file nor the reason alone
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise OSError(error.errno, reason, str(file)) from error
        self._made += 1
        return file

    def _make_fewer(self) -> None:
        """Merge neighbouring runs, so that equal keys stay in the order they were added in."""
        place = 0
        while (extra := len(self._runs) - self._most) > 0:
            group = self._runs[place : place + min(self._most, extra + 1)]
            files = [self._write(part) for part in self._merged(group, PART)]
            for file in (file for run in group for file in run.files):
                file.unlink()
            sample = pl.concat([run.sample for run in group]).sort()
            self._runs[place : place + len(group)] = [_Run(files, sample)]
            place = 0 if place + 2 >= len(self._runs) else place + 1

    def _merged(self, runs: Sequence[_Run], rows: int) -> Iterator[pl.DataFrame]:
        if not runs:
            return
        bounds = _bounds(pl.concat([run.sample for run in runs]), max(1, rows // SAMPLE))
        cursors = [_Cursor(run, self._key) for run in runs]
        for bound in [*bounds, None]:
            if frames := [frame for cursor in cursors for frame in cursor.below(bound)]:
                yield pl.concat(frames).sort(self._key, maintain_order=True)


class _Cursor:
    """A run read from its start, a record batch at a time."""

    def __init__(self, run: _Run, key: str) -> None:
        self._frames, self._key = _frames(run.files), key
        self._held = next(self._frames, None)

    def below(self, bound: Any) -> Iterator[pl.DataFrame]:
        """The rows not yet taken whose key is less than the bound; all where it is None."""
        while self._held is not None:
            keys = self._held[self._key]
            if bound is not None and keys[-1] >= bound:
                end = int(keys.search_sorted(bound, side="left"))
                if end:
                    yield self._held.head(end)
                    self._held = self._held.slice(end)
                return
            yield self._held
            self._held = next(self._frames, None)


def _frames(files: Sequence[Path]) -> Iterator[pl.DataFrame]:
    import pyarrow as pa

    for file in files:
        place, size = 0, 1
        while place < size:  # mapped anew for each, or all that was read would count as memory
            with pa.memory_map(str(file)) as source, pa.ipc.open_file(source) as batches:
                size = batches.num_record_batches
                frame = pl.DataFrame(batches.get_batch(place))
            yield frame
            place += 1


def _bounds(sample: pl.Series, step: int) -> pl.Series:
    """Keys that cut the whole into parts of about equal size."""
    return sample.sort().gather_every(step, offset=step).unique(maintain_order=True)


def merged(sources: Sequence[Iterable[pl.DataFrame]], key: str) -> Iterator[pl.DataFrame]:
    """Streams of frames, each in order of a key unique in it, as one stream in key order.

    Equal keys come in the order of the sources and never fall into two frames.
    """
    streams = [iter(source) for source in sources]
    waiting = [next(stream, None) for stream in streams]
    while held := [frame for frame in waiting if frame is not None]:
        cut = min(frame[key][-1] for frame in held)  # every stream is known up to here
        ready: list[pl.DataFrame] = []
        for place, frame in enumerate(waiting):
            if frame is not None:
                end = int(frame[key].search_sorted(cut, side="right"))
                ready.append(frame.head(end))
                rest = frame.slice(end)
                waiting[place] = next(streams[place], None) if rest.is_empty() else rest
        yield pl.concat(ready).sort(key, maintain_order=True)


def batches(frame: pl.LazyFrame, rows: int = PART) -> Iterator[pl.DataFrame]:
    """A scanned table a slice at a time; slices of whole row groups are read once each.

    Polars' own batch iterators are not used: with queries inside the loop they can wait for each
    other's threads for ever.
    """
    size = frame.select(pl.len()).collect().item()
    for start in range(0, size, rows):
        yield frame.slice(start, rows).collect()


def regrouped(frames: Iterable[pl.DataFrame], rows: int = PART) -> Iterator[pl.DataFrame]:
    """The same rows in frames of exactly `rows` rows, so that a file's bytes forget the parts."""
    held: list[pl.DataFrame] = []
    size = 0
    for frame in frames:
        held.append(frame)
        size += frame.height
        while size >= rows:
            whole = pl.concat(held)
            yield whole.head(rows).rechunk()
            held, size = [whole.slice(rows)], size - rows
    if size:
        yield pl.concat(held).rechunk()


def ahead(frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The same frames; while one is worked on, a thread makes the next."""
    source = iter(frames)
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, source, None)
        while (frame := coming.result()) is not None:
            coming = thread.submit(next, source, None)
            yield frame
