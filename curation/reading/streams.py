"""Bytes of a native file: plain, gzip or zstd, told apart by their first bytes."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from curation.core.errors import UserError

CHUNK = 1 << 20
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_BOM = b"\xef\xbb\xbf"


def decompressed(path: Path, handle: BinaryIO) -> Iterator[bytes]:
    """Chunks of the file's content; the magic bytes say which compression it has."""
    head = handle.read(4)
    handle.seek(0)
    if head.startswith(_GZIP):
        return _gunzip(path, handle)
    if head == _ZSTD:
        return _unzstd(path, handle)
    return iter(lambda: handle.read(CHUNK), b"")


def _gunzip(path: Path, handle: BinaryIO) -> Iterator[bytes]:
    inflate = zlib.decompressobj(wbits=31)
    while chunk := handle.read(CHUNK):
        while chunk:
            if inflate.eof:  # the next member of a concatenated file
                inflate = zlib.decompressobj(wbits=31)
            try:
                yield inflate.decompress(chunk)
            except zlib.error as error:
                raise UserError(f"{path}: broken gzip stream ({error}); fetch it again") from error
            chunk = inflate.unused_data.lstrip(b"\x00")
    if not inflate.eof:
        raise UserError(f"{path}: the gzip stream ends too early; fetch the file again")


def _unzstd(path: Path, handle: BinaryIO) -> Iterator[bytes]:
    import zstandard

    inflate = zstandard.ZstdDecompressor().decompressobj()
    while chunk := handle.read(CHUNK):
        while chunk:
            if inflate.eof:
                inflate = zstandard.ZstdDecompressor().decompressobj()
            try:
                yield inflate.decompress(chunk)
            except zstandard.ZstdError as error:
                raise UserError(f"{path}: broken zstd stream ({error}); fetch it again") from error
            chunk = inflate.unused_data
    if not inflate.eof:
        raise UserError(f"{path}: the zstd stream ends too early; fetch the file again")


def without_bom(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks without a leading byte-order mark."""
    start = b""
    for chunk in chunks:
        start += chunk
        if len(start) >= len(_BOM):
            break
    yield start.removeprefix(_BOM)
    yield from chunks
