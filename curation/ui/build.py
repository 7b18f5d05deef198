"""What the app shows and what it may do: handed in by the command, which knows paths and params."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Any

import duckdb
import polars as pl

from curation.audit.connect import open_build
from curation.errors import UserError
from curation.pairs import Made

SECONDS = 30.0  # a query that runs longer is stopped


@dataclass(frozen=True)
class Build:
    """One build and the actions on it.

    Attributes:
        data: the build's folder.
        knobs: the pairs section of params.yaml.
        pairings: iteration and changed knobs -> the pairing as params.yaml says, and the other.
        decisions: every decision of every reviewer.
        record: append decisions to the reviewers' files.
        now: the time to record.
    """

    data: Path
    knobs: Mapping[str, Any]
    pairings: Callable[[str, dict[str, Any]], tuple[Made, Made]]
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
