"""Bytes of a native file: plain or compressed, told apart by their first bytes, as UTF-8."""

from __future__ import annotations

import bz2
import codecs
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from curation.core.errors import UserError
from curation.reading import bounds

CHUNK = 1 << 20
_PIECE = 4096  # at most 128 MiB once it is unpacked, by zstd as by the others
_BOM = b"\xef\xbb\xbf"
_WIDE: tuple[tuple[bytes, str], ...] = (
    *((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32")),
    *((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")),
)
"""First bytes of texts in other encodings than UTF-8, the longer marks first."""
_UNMARKED = (
    (re.compile(rb"(?:[\t\n\r -~]\0){2}"), "utf-16-le"),
    (re.compile(rb"(?:\0[\t\n\r -~]){2}"), "utf-16-be"),
)
"""The same without a mark: what rows begin with is ASCII."""


def decompressed(path: Path, handle: BinaryIO) -> Iterator[bytes]:
    """Chunks of the file's content; the magic bytes say which compression it has."""
    return unpacked(path, iter(lambda: handle.read(CHUNK), b""))


def unpacked(path: Path, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks as they were before gzip, zstd, bzip2 or xz, if they are any of these."""
    head, chunks = peeked(chunks, 6)
    for magic, name, start in _PACKED:
        if head.startswith(magic):
            return _members(path, chunks, name, start)
    return chunks


def peeked(chunks: Iterator[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """At least `size` first bytes, fewer where there are no more, and all chunks again."""
    held: list[bytes] = []
    while sum(map(len, held)) < size and (chunk := next(chunks, b"")):
        held.append(chunk)
    return b"".join(held)[: max(size, len(held[0]) if held else 0)], chain(held, chunks)


def _zstd() -> Any:
    import zstandard

    return zstandard.ZstdDecompressor().decompressobj()


def _broken() -> tuple[type[Exception], ...]:
    import zstandard

    return (zlib.error, OSError, lzma.LZMAError, EOFError, zstandard.ZstdError)


_PACKED: tuple[tuple[bytes, str, Callable[[], Any]], ...] = (
    (b"\x1f\x8b", "gzip", lambda: zlib.decompressobj(wbits=31)),
    (b"\x28\xb5\x2f\xfd", "zstd", _zstd),
    (b"BZh", "bzip2", bz2.BZ2Decompressor),
    (b"\xfd7zXZ\x00", "xz", lzma.LZMADecompressor),
    (b"\x5d\x00\x00", "lzma", lzma.LZMADecompressor),
)


def _members(
    path: Path, chunks: Iterator[bytes], name: str, start: Callable[[], Any]
) -> Iterator[bytes]:
    """The content of all members that a compressed file is made of, one behind the other."""
    inflate, packed, content = start(), 0, 0
    for piece in _pieces(chunks):
        packed, left = packed + len(piece), piece
        while left:
            if inflate.eof:
                inflate = start()
            try:
                whole = inflate.decompress(left)
            except _broken() as error:
                told = f"broken {name} stream ({error})"
                raise UserError(f"{path}: {told}; fetch it again") from error
            content += len(whole)
            bounds.swollen(path, packed, content)
            yield whole
            left = inflate.unused_data.lstrip(b"\x00")
    if not inflate.eof:
        raise UserError(f"{path}: the {name} stream ends too early; fetch the file again")


def _pieces(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Chunks cut so small that what one of them swells to fits into memory."""
    for chunk in chunks:
        for start in range(0, len(chunk), _PIECE):
            yield chunk[start : start + _PIECE]


def as_utf8(path: Path, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks as UTF-8 without a byte-order mark; UTF-16 and UTF-32 are told by their start."""
    head, chunks = peeked(chunks, 4)
    for mark, encoding in _WIDE:
        if head.startswith(mark):
            return _recoded(path, chunks, encoding)
    for form, encoding in _UNMARKED:
        if form.match(head):
            return _recoded(path, chunks, encoding)
    return _without_bom(chunks) if head.startswith(_BOM) else chunks


def _without_bom(chunks: Iterator[bytes]) -> Iterator[bytes]:
    left = len(_BOM)
    for chunk in chunks:
        yield chunk[left:]
        left = max(0, left - len(chunk))


def _recoded(path: Path, chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for chunk in chunks:
            yield decoder.decode(chunk).encode("utf-8", "surrogatepass")
        yield decoder.decode(b"", final=True).encode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        name = encoding.upper()
        raise UserError(f"{path}: not whole {name} text ({error.reason}); save as UTF-8") from error
