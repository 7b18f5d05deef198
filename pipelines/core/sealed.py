"""The digest that a table's file carries in its own footer, and what a reader holds it against.

The digest is of the whole file with zeros in the digest's place, so a flipped bit anywhere, or a
file cut short, is found at the speed of the disk, without a page being decoded. A file of another
writer has none: the checksums of its pages are looked at, where it has any.

Beside it stands the key whose values the writer has seen ascend strictly; of a file without it a
reader looks at the keys itself.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from curation.core.errors import UserError
from curation.core.schema import Table
from pipelines.core.distinct import distinct

DIGEST, KEY = "prefloop.xxh3", "prefloop.key"
NONE = "0" * 32  # what stands in the digest's place while it is worked out
MEND = "rebuild it with dvc repro, or dvc checkout to take the last good one"
_AT = DIGEST.encode() + b"\x18\x20"  # Thrift: a text of 32 bytes follows
_BLOCK = 1 << 20
_ROWS = 8192  # decoded at once
_good: dict[tuple[str, int, int, int], str] = {}  # files found to be whole, and their keys


def seal(path: Path) -> None:
    """Write a file's digest where its footer holds `NONE` for it.

    Raises:
        ValueError: it has no such place.
    """
    place = _place(path)
    if place is None:
        raise ValueError(f"{path}: no place for a digest")
    digest = _digest(path, place)
    with path.open("r+b") as file:
        file.seek(place)
        file.write(digest)


def whole(path: Path) -> None:
    """Check that a file is as it was written; once for as long as its size and time stay.

    Raises:
        UserError: it is not.
    """
    seen = _seen(path)
    if seen not in _good:
        _good[seen] = _verified(path)


def one_each(path: Path, table: Table) -> None:
    """Check that no two rows of a file share a key of the table; once, as `whole`.

    Raises:
        UserError: two do, or the file is not as it was written.
    """
    whole(path)
    named = ",".join(table.key)
    if _good[_seen(path)] != named:
        distinct(path, table)
        _good[_seen(path)] = named


def _seen(path: Path) -> tuple[str, int, int, int]:
    stat = path.stat()
    return str(path), stat.st_size, stat.st_mtime_ns, stat.st_ino


def _verified(path: Path) -> str:
    """The key that the writer vouches for; empty where it does for none."""
    place = _place(path)
    if place is None:
        _pages(path)
        return ""
    with path.open("rb") as file:
        file.seek(place)
        given = file.read(len(NONE))
    if given != _digest(path, place):
        raise UserError(f"{path}: its bytes are not those that were written; {MEND}")
    return str(pl.read_parquet_metadata(path).get(KEY, ""))


def _place(path: Path) -> int | None:
    """Where a file's digest begins; None where its footer has none."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - 8))
        length = int.from_bytes(file.read(4), "little")
        start = size - 8 - length
        if start < 0:
            return None
        file.seek(start)
        at = file.read(length).rfind(_AT)
    return None if at < 0 else start + at + len(_AT)


def _digest(path: Path, place: int) -> bytes:
    import xxhash

    digest = xxhash.xxh3_128()
    with path.open("rb") as file:
        for start in range(0, place, _BLOCK):
            digest.update(file.read(min(_BLOCK, place - start)))
        digest.update(NONE.encode())
        file.seek(place + len(NONE))
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest().encode()


def _pages(path: Path) -> None:
    """Decode a file that has no digest, which looks at the checksums of its pages.

    Raises:
        UserError: a page is not as it was written, or cannot be read.
    """
    from pyarrow import lib, parquet

    try:
        with parquet.ParquetFile(path, page_checksum_verification=True) as file:
            for _ in file.iter_batches(_ROWS, use_threads=False):
                pass
    except (lib.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{path}: cannot be read whole ({reason}); {MEND}") from error
