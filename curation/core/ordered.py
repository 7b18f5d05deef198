"""Tables larger than memory in the order of a key: sorted spills, merged range by range."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import polars as pl

PART = 32_768  # rows of one part, also of one row group
SAMPLE = 512  # every so many rows of a sorted batch one key is remembered
RUNS = 32  # sorted runs that are read side by side


@dataclass(frozen=True)
class _Run:
    """Sorted rows in files that follow each other in key order, and every so many of their keys."""

    files: list[Path]
    sample: pl.Series


class Spill:
    """Frames of one schema, each sorted by the key and kept in a file, read back in key order.

    Equal keys never fall into two parts, so a window over the key sees its whole group. Memory: a
    part and a record batch of each run; so many runs that this would grow are first made fewer.
    """

    def __init__(self, folder: Path, key: str, runs: int = RUNS) -> None:
        self._folder, self._key, self._most = folder, key, max(2, runs)
        self._runs: list[_Run] = []
        self._made = 0
        self.rows = 0

    def add(self, frame: pl.DataFrame) -> None:
        """Sort a frame and put it aside."""
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
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / f"{self._made:06d}.arrow"
        frame.write_ipc(file, compat_level=pl.CompatLevel.newest(), record_batch_size=2 * SAMPLE)
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
        files = [file for run in runs for file in run.files]
        cuts = [self._cuts(file, bounds) for file in files]
        for part in range(len(bounds) + 1):
            slices = [
                pl.scan_ipc(file).slice(cut[part], cut[part + 1] - cut[part])
                for file, cut in zip(files, cuts, strict=True)
                if cut[part] < cut[part + 1]
            ]
            if slices:
                yield pl.concat(pl.collect_all(slices)).sort(self._key, maintain_order=True)

    def _cuts(self, file: Path, bounds: pl.Series) -> list[int]:
        """Row numbers at which a file's parts begin, and its number of rows."""
        keys = pl.scan_ipc(file).select(self._key).collect()[self._key]
        return [0, *keys.search_sorted(bounds, side="left").to_list(), len(keys)]


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
