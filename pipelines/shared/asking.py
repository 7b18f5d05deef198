"""The frame of a command that is no stage: its parser, and one line on bad input."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.core import complaints
from pipelines.core.ending import ended


def parser(prog: str, doc: str | None, *, build: bool = True) -> argparse.ArgumentParser:
    """The parser of a command; with --data, the folder of the build, where it asks one."""
    result = argparse.ArgumentParser(
        prog=f"prefloop {prog}",
        description=doc,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    if build:
        result.add_argument(
            "--data", type=Path, default=Path("data"), metavar="FOLDER", help="the build (data)"
        )
    return result


def guard(name: str, body: Callable[[], None]) -> int:
    """Run a command's body: 0, or 2 and one line on stderr when the input was bad."""
    return ended(name, lambda: _guarded(name, body))


def _guarded(name: str, body: Callable[[], None]) -> int:
    try:
        body()
    except BrokenPipeError:
        raise
    except complaints.EXPECTED as error:
        line = complaints.line(error)
        if line is None:
            raise
        print(f"{name}: {line}", file=sys.stderr)
        return 2
    return 0


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for files of another revision, removed at the end."""
    with tempfile.TemporaryDirectory(prefix="prefloop-") as folder:
        yield Path(folder)
