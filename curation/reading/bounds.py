"""How far a file may swell: limits that only what was made to fill a memory reaches."""

from __future__ import annotations

from pathlib import Path

from curation.core.errors import UserError

EXPANSION = 500  # times; zstd makes text 3 to 30 times smaller, columns of one value 200 times
FREE = 16 << 20  # bytes that any file may come to before that is looked at
ROW = 256 << 20  # bytes of one row
HOPELESS = 1_000_000  # first rows without one that can be used


def swollen(path: Path, packed: int, content: int) -> None:
    """Refuse a file whose content is out of all proportion to its bytes.

    Raises:
        UserError: it is.
    """
    if content > FREE and content > EXPANSION * packed:
        raise UserError(
            f"{path}: {packed:,} bytes hold over {content:,}, more than {EXPANSION} times as many, "
            "as a file does that was made to fill a memory; if it is meant, unpack it first"
        )


def row(path: Path, size: int) -> None:
    """Refuse a row that no memory is meant to hold.

    Raises:
        UserError: it has too many bytes.
    """
    if size > ROW:
        raise UserError(
            f"{path}: a row of over {ROW >> 20} MiB, or no line breaks between rows; split the file"
        )


def parquet(path: Path) -> None:
    """Refuse a Parquet file whose pages are out of all proportion to its bytes.

    Raises:
        UserError: they are.
    """
    from pyarrow import lib
    from pyarrow import parquet as files

    try:
        told = files.read_metadata(path)
    except (lib.ArrowException, OSError):
        return  # whoever reads it says what is wrong
    groups = (told.row_group(place) for place in range(told.num_row_groups))
    swollen(path, path.stat().st_size, sum(one.total_byte_size for one in groups))
