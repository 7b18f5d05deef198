"""A stage's process among others: its rank, its lock, its end when its parent ends."""

from __future__ import annotations

import ctypes
import fcntl
import itertools
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from curation.core.errors import UserError

_PR_SET_PDEATHSIG = 1


def rank() -> int:
    """Number of this process among those that `accelerate launch` has started; 0 when alone."""
    return int(os.environ.get("RANK", "0")) if "WORLD_SIZE" in os.environ else 0


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file.

    Raises:
        UserError: another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(
                f"{path}: the same stage is running already; wait for it or stop it"
            ) from error
        yield


@cache
def die_with_parent() -> None:
    """End this process when the shell or the DVC that started it ends: no orphan writes later.

    Once is enough, however many stages a process runs.

    The kernel's death signal covers the direct parent; DVC starts a shell in between, so a thread
    watches that shell's own parent as well. Linux only; elsewhere the lock file still protects.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    above = [os.getppid()]
    for _ in range(3 if "WORLD_SIZE" in os.environ else 1):  # a launcher adds processes between
        above.append(_parent_of(above[-1]))
    links = [link for link in itertools.pairwise(above) if min(link) > 1]
    if links:
        threading.Thread(target=_watch, args=(links,), daemon=True).start()


def _parent_of(pid: int) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    return int(stat.rpartition(")")[2].split()[1])


def _watch(links: Sequence[tuple[int, int]]) -> None:
    """Wait until one of the processes above has another parent than it had: its own has ended."""
    while all(_parent_of(child) == parent for child, parent in links):
        time.sleep(0.5)
    os._exit(3)
