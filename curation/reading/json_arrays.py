"""The items of a JSON array, or objects one behind the other, as raw bytes, one at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from curation.core.errors import UserError
from curation.reading import bounds

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
        bounds.row(path, len(held))
        more = b"".join(_at_least(len(held), chunks))
        if not more:
            raise UserError(f"{path}: not a whole JSON array (it has no end); fetch it again")
        held += more
    if held.strip() or any(chunk.strip() for chunk in chunks):
        raise UserError(f"{path}: not a whole JSON array (text behind its end); fetch it again")


def objects(path: Path, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The objects of a file that writes each over several lines, commas between them or none.

    Raises:
        UserError: the last object has no end.
    """
    held = b""
    for chunk in chunks:
        bounds.row(path, len(held))
        found, held = _ended(held + chunk + b"".join(_at_least(len(held), chunks)))
        yield from found
    if held.strip(b" \t\r\n,"):
        raise UserError(f"{path}: the last JSON object has no end; fetch it again")


def _ended(text: bytes) -> tuple[list[bytes], bytes]:
    """The objects that end in the text, and what is left of it."""
    found, start, level = [], 0, 0
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark == b'"':
            break
        level += (mark in (b"[", b"{")) - (mark in (b"]", b"}"))
        if level == 0 and mark in (b"]", b"}"):
            found.append(text[start : token.end()].strip(b" \t\r\n,"))
            start = token.end()
    return found, text[start:]


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
