"""How a process ends that a person has stopped, or whose reader has gone: in a line, or none."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable

INTERRUPTED = 130  # as a shell has it: 128 and the number of the signal


def ended(name: str, body: Callable[[], int]) -> int:
    """Run a body and return its exit code.

    Ctrl-C gives one line on stderr and 130. A reader of stdout that has gone, as `head` does, ends
    it with 0 and without a word. Text that the terminal's encoding lacks is shown as escapes.
    """
    _escaping()
    try:
        code = body()
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _interrupted(name)
    except RuntimeError as error:
        if str(error) != "Query interrupted":  # what DuckDB makes of Ctrl-C
            raise
        return _interrupted(name)
    except BrokenPipeError:
        _nowhere()
        return 0
    return code


def _interrupted(name: str) -> int:
    print(f"{name}: interrupted", file=sys.stderr)
    return INTERRUPTED


def _escaping() -> None:
    """Let no character be an error: LC_ALL=C has ASCII alone."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _nowhere() -> None:
    """Send what is still in stdout's buffer nowhere, as the interpreter flushes it at its end."""
    try:
        target = sys.stdout.fileno()
    except (OSError, ValueError):  # no file: a test's, or a notebook's
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, target)
    os.close(nowhere)
