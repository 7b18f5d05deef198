"""Ends the processes of a local Ray once the stage that started it has ended, however it ended.

Run: python -m pipelines.shared.reaper FOLDER

It waits for the end of its standard input, which the stage holds open, then ends every process
that has to do with the folder, and removes it.
"""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

import psutil

_GRACE = 5.0  # seconds that Ray has to end by itself


def main(folder: Path) -> int:
    """Wait, then end them; the exit code."""
    sys.stdin.buffer.read()
    until = time.monotonic() + _GRACE
    while (left := _processes(folder)) and time.monotonic() < until:
        time.sleep(0.1)
    for process in left:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(left, timeout=_GRACE)
    shutil.rmtree(folder, ignore_errors=True)
    return 0


def _processes(folder: Path) -> list[psutil.Process]:
    own = psutil.Process().pid
    return [one for one in psutil.process_iter() if one.pid != own and _of(one, str(folder))]


def _of(process: psutil.Process, folder: str) -> bool:
    """Whether its command line names the folder, or, where it has a title instead, a file it holds.

    Ray's agents and workers change their titles; their logs stay open.
    """
    try:
        if any(folder in word for word in process.cmdline()):
            return True
        titled = process.cmdline()[:1] and process.cmdline()[0].startswith("ray::")
        return bool(titled) and any(folder in file.path for file in process.open_files())
    except psutil.Error:
        return False


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
