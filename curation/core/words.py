"""A word nobody knows, and the known one that was meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def meant(word: object, known: Iterable[object]) -> str:
    """The end of an error message: the nearest known word, or all of them where none is near."""
    names = sorted({str(name) for name in known})
    near = difflib.get_close_matches(str(word), names, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]}?"
    return f"known: {', '.join(names) or 'none'}"
