"""What a file is, from its first bytes: a form that is read, or one that is named in an error."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import orjson

from curation.core.errors import UserError

Kind = Literal["parquet", "arrow", "rows"]
_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it"),
    (b"Rar!", "a RAR archive; unpack it"),
    (b"\x04\x22\x4d\x18", "an LZ4 file; unpack it (lz4 -d)"),
    (b"\x1f\x9d", "a file of compress (.Z); unpack it"),
    (b"%PDF", "a PDF; rows are JSON, CSV, TSV, Parquet or Arrow"),
    (b"SQLite format 3", "a SQLite database; save its table as Parquet"),
    (b"\x89HDF", "an HDF5 file; save its table as Parquet"),
    (b"\x93NUMPY", "a NumPy array; save its rows as JSON lines"),
    (b"ORC", "an ORC file; save it as Parquet"),
    (b"Obj\x01", "an Avro file; save it as Parquet"),
    (b"\x80\x04", "a Python pickle, which is never loaded; save its rows as JSON lines"),
    (b"\x80\x05", "a Python pickle, which is never loaded; save its rows as JSON lines"),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file; run git lfs pull"),
    (b"<!doctype html", "a web page, not a file of rows; fetch the file itself"),
    (b"<html", "a web page, not a file of rows; fetch the file itself"),
)


def kind_of_file(path: Path) -> Kind:
    """Which reader a file is for.

    Raises:
        UserError: there is no such file, or it is empty.
    """
    if path.is_dir():
        raise UserError(f"{path}: is a folder; name its files, such as {path}/*.parquet")
    if not path.is_file():
        raise UserError(f"{path}: no such file; correct the source's uri")
    with path.open("rb") as handle:
        head = handle.read(64)
    if not head:
        raise UserError(f"{path}: the file is empty")
    if head.startswith(b"PAR1") or path.suffix == ".parquet":
        return "parquet"
    stream = head.startswith(b"\xff\xff\xff\xff") and head[4:8] != b"\xff\xff\xff\xff"
    return "arrow" if head.startswith(b"ARROW1") or stream else "rows"


def refuse(path: Path, head: bytes) -> None:
    """Raise UserError where a file of rows begins as another kind of file does."""
    start = head[:64].lower()
    for magic, said in _OTHERS:
        if start.startswith(magic.lower()):
            raise UserError(f"{path}: {said}")
    first = head[:4096]
    if first.startswith(b"PAR1") or first.startswith(b"ARROW1"):
        raise UserError(f"{path}: a packed Parquet or Arrow file; unpack it")
    if b"\0" in first and head[:1] not in (b"{", b"["):
        raise UserError(f"{path}: a binary file; rows are JSON, CSV, TSV, Parquet or Arrow")


def unread(path: Path, held: Sequence[Any]) -> UserError:
    """The error of a file of which not one row can be read, with what stands there.

    Args:
        held: its first rows, each a `readers.Bad`.
    """
    if held[0].rule == "invalid_text":
        return UserError(f"{path}: {held[0].detail}; save it as UTF-8")
    first = " ".join(str(held[0].raw).split())[:60]
    return UserError(
        f"{path}: not one of its first {len(held)} rows can be read ({held[0].rule}; the first is "
        f"{first!r}); rows are JSON objects, or files named .csv, .tsv, .parquet or .arrow"
    )


def is_pretty(head: bytes) -> bool:
    """Whether the text begins with an object that goes over several lines.

    A broken first line is no such object: the second line of a file of lines is a row of its own.
    """
    lines = [line for line in head.replace(b"\r", b"\n").split(b"\n", 64) if line.strip()][:2]
    if len(lines) < 2 or _is_object(lines[0]) or _is_object(lines[1]):
        return False
    opened = lines[0].rstrip()
    return opened.endswith((b"{", b"[", b",", b":")) or _closed(opened)


def _closed(line: bytes) -> bool:
    """Whether the line ends behind a whole value of an object: no string of it is open."""
    try:
        orjson.loads(line + b"}")
    except orjson.JSONDecodeError:
        return False
    return True


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False


def is_joined(head: bytes) -> bool:
    """Whether the first line holds several objects, one behind the other."""
    line = head.split(b"\n", 1)[0]
    try:
        value, end = json.JSONDecoder().raw_decode(line.decode(errors="replace"))
    except ValueError:
        return False
    return isinstance(value, dict) and line.decode(errors="replace")[end:].lstrip(" ,")[:1] == "{"
