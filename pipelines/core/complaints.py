"""Bad input, a full disk, a file that cannot be read: one line that says how to mend it."""

from __future__ import annotations

import errno
import re

import polars as pl

from curation.core.errors import UserError, printable

EXPECTED = (UserError, OSError, pl.exceptions.PolarsError)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_ROOM = "; free some disk space and run again"


def line(error: BaseException) -> str | None:
    """What a person reads of an error; None for one that is a fault of the code."""
    said = _said(error)
    return None if said is None else printable(said)


def _said(error: BaseException) -> str | None:
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OSError):
        mend = _ROOM if error.errno in _FULL else ""
        return f"{error.filename or ''}: {error.strerror or error}{mend}"
    reason = re.search(r"[\w ]+(?= \(os error \d+\))", str(error))  # what the system told Polars
    return None if reason is None else f"{reason[0].strip()}{_ROOM}"
