"""The items of a JSON array as raw bytes, one at a time: any array in the memory of one item."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from curation.core.errors import UserError

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{},"]', re.DOTALL)  # a lone ": no end yet


def items(path: Path, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The texts between an array's commas; whether each is JSON is for its reader to say.

    Args:
        path: Named in errors.
        chunks: The file's content; its first byte that is not white space is ``[``.

    Raises:
        UserError: the array has no end, or something stands behind it.
    """
    held = next(chunk for chunk in chunks if chunk.strip()).lstrip()[1:]
    first = True
    while True:
        found, held, closed = _split(held)
        if not (closed and first and found == [b""]):  # an empty array
            yield from found
        first = first and not found
        if closed:
            break
        more = b"".join(_at_least(len(held), chunks))
        if not more:
            raise UserError(f"{path}: not a whole JSON array (it has no end); fetch it again")
        held += more
    if held.strip() or any(chunk.strip() for chunk in chunks):
        raise UserError(f"{path}: not a whole JSON array (text behind its end); fetch it again")


def _split(text: bytes) -> tuple[list[bytes], bytes, bool]:
    """The items that end in the text, what is left of it, and whether the array ends in it."""
    found, start, level = [], 0, 1
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark == b'"':
            break
        level += (mark in (b"[", b"{")) - (mark in (b"]", b"}"))
        if level == 0 or (level == 1 and mark == b","):
            found.append(text[start : token.start()].strip())
            start = token.end()
        if level == 0:
            return found, text[start:], True
    return found, text[start:], False


def _at_least(size: int, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """As much again as is held, so that a long item is not searched once a chunk."""
    while size >= 0 and (chunk := next(chunks, b"")):
        size -= len(chunk)
        yield chunk
