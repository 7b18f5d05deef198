"""Files within .zip and .tar archives, each as its name and its chunks, one at a time."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from curation.core.errors import UserError
from curation.reading import bounds
from curation.reading.streams import CHUNK, peeked, unpacked

Member = tuple[Path, Iterator[bytes]]
"""Where a file came from (as errors name it) and its content, unpacked."""

_ZIP = b"PK\x03\x04"
_TAR_AT, _TAR = 257, b"ustar"
_DATA = (".jsonl", ".json", ".ndjson", ".csv", ".tsv", ".tab", ".txt")


def members(path: Path, handle: BinaryIO) -> Iterator[Member]:
    """The files of rows that a file holds: itself, or those of the archive that it is.

    Raises:
        UserError: an archive is broken, or none of its files holds rows.
    """
    if handle.read(len(_ZIP)) == _ZIP:
        handle.seek(0)
        yield from _some(path, _zipped(path, handle))
        return
    handle.seek(0)
    head, chunks = peeked(unpacked(path, iter(lambda: handle.read(CHUNK), b"")), 512)
    if head[_TAR_AT : _TAR_AT + len(_TAR)] == _TAR:
        yield from _some(path, _tarred(path, chunks))
    else:
        yield path, chunks


def _some(path: Path, found: Iterator[Member]) -> Iterator[Member]:
    first = next(found, None)
    if first is None:
        raise UserError(
            f"{path}: the archive holds no file of rows ({', '.join(_DATA)}); unpack it"
        )
    yield first
    yield from found


def _zipped(path: Path, handle: BinaryIO) -> Iterator[Member]:
    try:
        with zipfile.ZipFile(handle) as archive:
            for one in sorted(archive.infolist(), key=lambda one: one.filename):
                if not one.is_dir() and _wanted(path, one.filename):
                    at = path / one.filename
                    bounds.swollen(at, one.compress_size, one.file_size)
                    with archive.open(one) as member:
                        yield at, unpacked(at, iter(lambda: member.read(CHUNK), b""))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise UserError(f"{path}: not a readable zip archive ({error}); unpack it") from error


def _tarred(path: Path, chunks: Iterator[bytes]) -> Iterator[Member]:
    try:
        with tarfile.open(fileobj=_Stream(chunks), mode="r|") as archive:
            for one in archive:
                if one.isfile() and _wanted(path, one.name):
                    member = archive.extractfile(one)
                    if member is not None:
                        at = path / one.name
                        yield at, unpacked(at, iter(lambda: member.read(CHUNK), b""))  # noqa: B023
    except (tarfile.TarError, EOFError) as error:
        raise UserError(f"{path}: not a whole tar archive ({error}); fetch it again") from error


def _wanted(path: Path, name: str) -> bool:
    """Whether a file of an archive holds rows; notes, licences and hidden files do not.

    Raises:
        UserError: it is a table that can't be read from within an archive.
    """
    inside = PurePosixPath(name)
    if any(part.startswith((".", "__MACOSX")) for part in inside.parts):
        return False
    if inside.suffix in (".parquet", ".arrow", ".feather"):
        raise UserError(f"{path}: holds {name}; unpack the archive and name that file")
    return any(suffix in _DATA for suffix in inside.suffixes[-2:])


class _Stream(io.RawIOBase):
    """Chunks as a file that can be read once, which is all that tarfile's stream mode asks for."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._held = chunks, b""

    def readable(self) -> bool:
        """It can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes, fewer only at the end."""
        while (size < 0 or len(self._held) < size) and (chunk := next(self._chunks, b"")):
            self._held += chunk
        size = len(self._held) if size < 0 else size
        found, self._held = self._held[:size], self._held[size:]
        return found
