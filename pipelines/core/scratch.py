"""A folder for spilled rows that no kill leaves behind for good."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipelines.core.params import placement

SCRATCH = Path(".work/scratch")


def place() -> Path:
    """Where scratch is: in the project, or on the local disk that placement.yaml names."""
    wanted = placement.here().scratch
    return SCRATCH if wanted is None else Path(wanted) / "prefloop-scratch"


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for spilled rows, removed at the end; ignored by git and DVC.

    Each is locked by the process that uses it: those without a lock are what a kill has left, and
    the next user of scratch removes them.
    """
    folder = place()
    folder.mkdir(parents=True, exist_ok=True)
    with _held(folder):  # so that no one takes a folder that is made but not yet locked
        for left in folder.iterdir():
            with suppress(BlockingIOError), _held(left, fcntl.LOCK_NB):
                shutil.rmtree(left, ignore_errors=True)
        mine = Path(tempfile.mkdtemp(dir=folder))
        lock = os.open(mine, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield mine
    finally:
        shutil.rmtree(mine, ignore_errors=True)
        os.close(lock)


@contextmanager
def _held(folder: Path, how: int = 0) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | how)
        yield
    finally:
        os.close(handle)
