"""What the app shows and what it may do: handed in by the command, which knows paths and params."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Timer
from typing import Any, Generic, TypeVar

import duckdb
import polars as pl

from curation.audit.connect import open_build
from curation.core.errors import UserError
from curation.pairing.pairs import Made

T = TypeVar("T")
SECONDS = 30.0  # a query that runs longer is stopped


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

    @contextmanager
    def open(self, seconds: float = SECONDS) -> Iterator[duckdb.DuckDBPyConnection]:
        """The build's views, opened anew so that a table rebuilt meanwhile is seen.

        Raises:
            UserError: the build cannot be read, or a query ran longer than `seconds`.
        """
        con = open_build(self.data)
        clock = Timer(seconds, con.interrupt)
        clock.start()
        try:
            yield con
        except duckdb.InterruptException as error:
            raise UserError(f"stopped after {seconds:g} s; ask for less at once") from error
        finally:
            clock.cancel()
            con.close()

    def iterations(self) -> list[str]:
        """Iterations that have scores, in the order of their names."""
        return sorted(path.parent.name for path in self.data.glob("iterations/*/scores.parquet"))
