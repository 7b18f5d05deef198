"""What the app shows and what it may do: handed in by the command, which knows paths and params."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import BoundedSemaphore, Lock, Timer
from typing import Any, Generic, TypeVar

import duckdb
import polars as pl

from curation.audit.connect import open_build
from curation.core.errors import UserError
from curation.pairing.pairs import Made

T = TypeVar("T")
SECONDS = 30.0  # a query that runs longer is stopped
MEMORY = "1GiB"  # of a query
THREADS = 2  # of a query
AT_ONCE = 4  # queries; a further one is refused, so that they never hold up the rest
_WAIT = 5.0  # seconds that it waits for another to end


@dataclass(frozen=True)
class Pairings:
    """One iteration paired as params.yaml says, and another way; share of its prompts paired."""

    before: Made
    after: Made
    share: float


class Memory(Generic[T]):
    """The last value made, kept for as long as what it was made from stays the same."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._held: tuple[object, T] | None = None

    def of(self, key: object, made: Callable[[], T]) -> T:
        """The value held for this key, or a new one; one is made at a time."""
        with self._lock:
            if self._held is None or self._held[0] != key:
                self._held = (key, made())
            return self._held[1]


def state(files: Iterable[Path]) -> tuple[tuple[str, int, int], ...]:
    """Names, sizes and times of files: what a value made from them depends on."""
    found = [(str(file), file.stat()) for file in sorted(files)]
    return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in found)


@dataclass(frozen=True)
class Build:
    """One build and the actions on it.

    Attributes:
        data: the build's folder.
        knobs: the pairs section of params.yaml.
        pairings: iteration and changed knobs -> both pairings.
        decisions: every decision of every reviewer.
        record: append decisions to the reviewers' files.
        now: the time to record.
    """

    data: Path
    knobs: Mapping[str, Any]
    pairings: Callable[[str, dict[str, Any]], Pairings]
    decisions: Callable[[], pl.DataFrame]
    record: Callable[[pl.DataFrame], int]
    now: Callable[[], str]
    _running: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(AT_ONCE))

    @contextmanager
    def open(self, seconds: float = SECONDS) -> Iterator[duckdb.DuckDBPyConnection]:
        """The build's views, opened anew so that a table rebuilt meanwhile is seen.

        Raises:
            UserError: the build cannot be read, a query ran longer than `seconds` or wanted more
                memory than it may have, or too many run already.
        """
        if not self._running.acquire(timeout=_WAIT):
            raise UserError(f"{AT_ONCE} queries run already; wait for one to end")
        try:
            with self._opened(seconds) as con:
                yield con
        finally:
            self._running.release()

    @contextmanager
    def _opened(self, seconds: float) -> Iterator[duckdb.DuckDBPyConnection]:
        con = open_build(self.data, {"memory_limit": MEMORY, "threads": THREADS})
        clock = Timer(seconds, con.interrupt)
        clock.start()
        try:
            yield con
        except duckdb.InterruptException as error:
            raise UserError(f"stopped after {seconds:g} s; ask for less at once") from error
        except duckdb.OutOfMemoryException as error:
            raise UserError(f"wants more than {MEMORY} of memory; ask for less at once") from error
        finally:
            clock.cancel()
            con.close()

    def iterations(self) -> list[str]:
        """Iterations that have scores, in the order of their names."""
        return sorted(path.parent.name for path in self.data.glob("iterations/*/scores.parquet"))
