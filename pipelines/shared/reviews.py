"""The folder of reviewers' decisions: one Parquet file per reviewer, appended to, never rewritten.

Files of their own keep two people's decisions from conflicting in git.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from curation.core.errors import UserError
from curation.review.decisions import REVIEWS, checked, settled
from pipelines.core import io
from pipelines.core.outputs import Outputs

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")


def reviewer_name(name: str) -> str:
    """The name itself, if it can be the name of a file.

    Raises:
        UserError: it is empty, too long, or holds other characters.
    """
    if not _NAME.fullmatch(name):
        raise UserError(
            f"reviewer {name!r}: use up to 64 letters, digits, and . _ @ - after the first"
        )
    return name


def read(folder: Path) -> pl.DataFrame:
    """Every decision of every reviewer, sorted by key.

    Raises:
        UserError: a file is no table of reviews or holds an unknown decision.
    """
    files = sorted(folder.glob("*.parquet"))
    frames = [checked(io.read(file, REVIEWS), str(file)) for file in files]
    rows = pl.concat(frames) if frames else REVIEWS.empty()
    return rows.unique(REVIEWS.key).sort(REVIEWS.key)


def verdicts(folder: Path | None) -> pl.DataFrame | None:
    """What the reviewers of a folder settled; None without a folder or a decision in it."""
    if folder is None or not folder.is_dir():
        return None
    rows = read(folder)
    return settled(rows) if rows.height else None


def append(folder: Path, rows: pl.DataFrame) -> int:
    """Add decisions to their reviewers' files, each whole or not at all; returns how many are new.

    Raises:
        UserError: a reviewer's name cannot be the name of a file, or a file cannot be read.
    """
    checked(rows, "new decisions")
    new = 0
    for (name,), own in rows.group_by("reviewer", maintain_order=True):
        path = folder / f"{reviewer_name(str(name))}.parquet"
        with _alone(folder):
            before = io.read(path, REVIEWS) if path.is_file() else REVIEWS.empty()
            added = own.select(REVIEWS.names).join(before, on=list(REVIEWS.key), how="anti")
            if added.height:
                outputs = Outputs()
                outputs.table(path, REVIEWS, pl.concat([before, added]))
                outputs.commit()
            new += added.height
    return new


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder while its files are read and replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def now() -> str:
    """The time a decision is recorded at: UTC, ISO 8601, microseconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
