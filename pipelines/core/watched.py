"""Input files that may not change under a running stage: its outputs would be of neither state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from curation.core.errors import UserError

Mark = tuple[int, int, int]


@contextmanager
def watched(paths: Iterable[Path]) -> Iterator[None]:
    """Run a block and check that no file at or below the paths was changed meanwhile.

    Raises:
        UserError: one was, or is gone.
    """
    before = {file: _mark(file) for path in paths for file in _files(path)}
    yield
    for file, was in before.items():
        if not file.exists() or _mark(file) != was:
            raise UserError(f"{file}: changed while the stage was reading it; run the stage again")


def _files(path: Path) -> Iterator[Path]:
    below = sorted(path.rglob("*")) if path.is_dir() else [path]
    return (file for file in below if file.is_file())


def _mark(file: Path) -> Mark:
    """Size, time and inode: what an edit or a replacement changes."""
    stat = file.stat()
    return stat.st_size, stat.st_mtime_ns, stat.st_ino
