"""Native files as rows: JSON lines, JSON arrays and CSV, plain or compressed; one row at a time.

A row that cannot be read is a `Bad` with a rule and its raw text, never an exception; a file that
is cut short, or is none of these formats, is a UserError.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from curation.core.errors import UserError
from curation.reading import json_arrays
from curation.reading.streams import decompressed, without_bom

_PARQUET = b"PAR1"

Row = dict[str, Any]


@dataclass(frozen=True)
class Bad:
    """A row that could not be read: the rule that says why, what was seen, the raw text."""

    rule: str
    detail: str
    raw: str


def is_parquet(path: Path) -> bool:
    """Whether the file starts as Parquet files do.

    Raises:
        UserError: there is no such file, or it is empty.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file; correct the source's uri")
    with path.open("rb") as handle:
        head = handle.read(4)
    if not head:
        raise UserError(f"{path}: the file is empty")
    return head == _PARQUET or path.suffix == ".parquet"


def rows(path: Path) -> Iterator[Row | Bad]:
    """The rows of a .jsonl, .json or .csv file, plain or behind .gz or .zst.

    Raises:
        UserError: the compressed stream is cut short or broken, or the file holds no rows' format.
    """
    with path.open("rb") as handle:
        chunks = without_bom(decompressed(path, handle))
        if ".csv" in path.suffixes:
            yield from _csv_rows(path, chunks)
            return
        head, chunks = _peek(path, chunks)
        if head == b"[":
            yield from map(_parse, json_arrays.items(path, chunks))
        else:
            yield from map(_parse, _lines(chunks))


def _peek(path: Path, chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first byte that is not white space, and all chunks again."""
    held = []
    for chunk in chunks:
        held.append(chunk)
        if text := chunk.lstrip():
            return text[:1], _chain(held, chunks)
    raise UserError(f"{path}: the file holds no rows")


def _chain(held: list[bytes], rest: Iterator[bytes]) -> Iterator[bytes]:
    yield from held
    yield from rest


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    r"""Lines ended by \n, \r\n or \r; blank ones are skipped.

    JSON escapes all three inside strings, so they end lines wherever they stand; U+2028 does not.
    """
    rest: list[bytes] = []  # a line of many chunks is joined once, not once a chunk
    for chunk in chunks:
        first, *lines = chunk.replace(b"\r", b"\n").split(b"\n")
        rest.append(first)
        if lines:
            lines.insert(0, b"".join(rest))
            rest = [lines.pop()]
            yield from (line for line in lines if line.strip())
    last = b"".join(rest)
    if last.strip():
        yield last


def _parse(line: bytes) -> Row | Bad:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return _second_try(line, error)
    return value if isinstance(value, dict) else _not_an_object(value, line)


def _not_an_object(value: object, line: bytes) -> Bad:
    return Bad("wrong_type", f"row: {kind_of(value)}, not an object", _shown(line))


def _second_try(line: bytes, error: Exception) -> Row | Bad:
    """Tell text that is no UTF-8 or no Unicode from text that is no JSON; NaN is read as null."""
    try:
        text = line.decode()
    except UnicodeDecodeError as wrong:
        return Bad("invalid_text", f"not UTF-8: {wrong.reason} at byte {wrong.start}", _shown(line))
    try:
        value = json.loads(text, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return Bad("invalid_json", str(error), _shown(line))
    try:
        orjson.dumps(value)
    except (TypeError, ValueError):
        return Bad("invalid_text", "a lone surrogate or an oversized number", _shown(line))
    return value if isinstance(value, dict) else _not_an_object(value, line)


def _shown(raw: bytes) -> str:
    return raw.decode("utf-8", errors="backslashreplace")


def _csv_rows(path: Path, chunks: Iterator[bytes]) -> Iterator[Row | Bad]:
    csv.field_size_limit(1 << 30)
    reader = csv.reader(_text_lines(chunks), strict=True)
    try:
        names = next(reader, None)
        if not names:
            raise UserError(f"{path}: the file holds no header")
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise UserError(f"{path}: the header has {twice[0]} twice; rename one of the columns")
        for values in reader:
            if len(values) == len(names):
                yield dict(zip(names, values, strict=True))
            elif values:
                detail = f"{len(values)} fields, the header has {len(names)}"
                yield Bad("wrong_type", detail, json.dumps(values, ensure_ascii=False))
    except (csv.Error, UnicodeDecodeError) as error:
        raise UserError(f"{path}: line {reader.line_num + 1}: not valid CSV ({error})") from error


def _text_lines(chunks: Iterator[bytes]) -> Iterator[str]:
    """Lines with their ends, as csv.reader wants them; quoted fields may span several."""
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).splitlines(keepends=True) or [b""]
        if rest.endswith(b"\n"):
            lines, rest = [*lines, rest], b""
        yield from (line.decode() for line in lines)
    if rest:
        yield rest.decode()


def kind_of(value: object) -> str:
    """JSON's word for a value's type."""
    words = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer"}
    return "null" if value is None else words.get(type(value), "number")
