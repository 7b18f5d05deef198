"""Native files as rows: JSON in any form, CSV and TSV, packed or not; one row at a time.

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
from curation.reading import archives, bounds, json_arrays, seen
from curation.reading.streams import as_utf8
from curation.reading.turns import is_turn

Row = dict[str, Any]


@dataclass(frozen=True)
class Bad:
    """A row that could not be read: the rule that says why, what was seen, the raw text."""

    rule: str
    detail: str
    raw: str


class Texts(Row):
    """A row of a delimited file: its values are texts, to be read as what a format wants."""


def rows(path: Path) -> Iterator[Row | Bad]:
    """The rows of .jsonl, .json, .csv and .tsv files, plain, compressed or in an archive.

    Compressed is .gz, .zst, .bz2 or .xz; an archive is .zip or .tar, compressed or not. Texts may
    be UTF-8, UTF-16 or UTF-32.

    Raises:
        UserError: a stream is cut short or broken, or the file holds no rows' format.
    """
    with path.open("rb") as handle:
        for name, chunks in archives.members(path, handle):
            yield from _rows(name, as_utf8(name, chunks))


def _rows(path: Path, chunks: Iterator[bytes]) -> Iterator[Row | Bad]:
    delimiter = next((_DELIMITERS[one] for one in path.suffixes if one in _DELIMITERS), None)
    head, chunks = _peek(path, chunks)
    seen.refuse(path, head)
    if delimiter is not None:
        yield from _delimited_rows(path, chunks, _delimiter(delimiter, head))
    elif head[:1] == b"[":
        yield from _parsed(json_arrays.items(path, chunks))
    elif head[:1] == b"{" and (seen.is_pretty(head) or seen.is_joined(head)):
        yield from _parsed(json_arrays.objects(path, chunks))
    else:
        yield from _parsed(_lines(path, chunks))


_DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t", ".psv": "|"}


def _delimiter(named: str, head: bytes) -> str:
    """The delimiter of a file's name, or of its first line where that does not hold it once."""
    line = head.split(b"\n", 1)[0].decode(errors="replace")
    others = [one for one in ",\t;|" if one in line]
    return named if named in line or not others else others[0]


def _parsed(texts: Iterator[bytes]) -> Iterator[Row | Bad]:
    """The rows that the texts are; an object that is wrapped around rows gives these."""
    for text in texts:
        row = _parse(text)
        held = None if isinstance(row, Bad) else _held(row)
        if held is None:
            yield row
            continue
        for one in held:
            inner = one.get("row") if isinstance(one, dict) and one.keys() <= _NUMBERED else one
            yield inner if isinstance(inner, dict) else _not_an_object(one, orjson.dumps(one))


_HOLDERS = ("instances", "data", "rows", "examples", "records")
_NUMBERED = {"row_idx", "row", "truncated_cells"}  # as the hub's viewer gives rows


def _held(row: Row) -> list[Any] | None:
    """The rows of LMFlow's {"type", "instances"} and its like: one list of objects, few facts."""
    lists = [name for name, value in row.items() if isinstance(value, list | dict)]
    if len(lists) != 1 or lists[0] not in _HOLDERS:
        return None
    held = row[lists[0]]
    rows = isinstance(held, list) and held and all(isinstance(one, dict) for one in held)
    return held if rows and not any(is_turn(one) for one in held[:8]) else None


def _peek(path: Path, chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes from the first that is not white space, and all chunks again."""
    held = []
    for chunk in chunks:
        held.append(chunk)
        if text := b"".join(held).lstrip():
            return text, _chain(held, chunks)
    raise UserError(f"{path}: the file holds no rows")


def _chain(held: list[bytes], rest: Iterator[bytes]) -> Iterator[bytes]:
    yield from held
    yield from rest


def _lines(path: Path, chunks: Iterator[bytes]) -> Iterator[bytes]:
    r"""Lines ended by \n, \r\n or \r; blank ones are skipped.

    JSON escapes all three inside strings, so they end lines wherever they stand; U+2028 does not.
    """
    rest: list[bytes] = []  # a line of many chunks is joined once, not once a chunk
    for chunk in chunks:
        bounds.row(path, sum(map(len, rest)))
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
        value = orjson.loads(line.lstrip(b"\x1e"))  # before each text of a JSON sequence
    except orjson.JSONDecodeError as error:
        return _second_try(line, error)
    return value if isinstance(value, dict) else _not_an_object(value, line)


def _not_an_object(value: object, line: bytes) -> Bad:
    return Bad("wrong_type", f"row: {kind_of(value)}, not an object", _shown(line))


def _second_try(line: bytes, error: Exception) -> Row | Bad:
    """Tell text that is no UTF-8 or no Unicode from text that is no JSON; NaN is a number."""
    try:
        text = line.decode()
    except UnicodeDecodeError as wrong:
        return Bad("invalid_text", f"not UTF-8: {wrong.reason} at byte {wrong.start}", _shown(line))
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return Bad("invalid_json", str(error), _shown(line))
    try:
        orjson.dumps(value)
    except (TypeError, ValueError):
        return Bad("invalid_text", "a lone surrogate or an oversized number", _shown(line))
    return value if isinstance(value, dict) else _not_an_object(value, line)


def _shown(raw: bytes) -> str:
    return raw.decode("utf-8", errors="backslashreplace")


def _delimited_rows(path: Path, chunks: Iterator[bytes], delimiter: str) -> Iterator[Row | Bad]:
    csv.field_size_limit(bounds.ROW)
    reader = csv.reader(_text_lines(path, chunks), delimiter=delimiter, strict=True)
    try:
        names = next(reader, None)
        if not names:
            raise UserError(f"{path}: the file holds no header")
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise UserError(f"{path}: the header has {twice[0]} twice; rename one of the columns")
        for values in reader:
            if len(values) == len(names):
                yield Texts(zip(names, values, strict=True))
            elif values:
                detail = f"{len(values)} fields, the header has {len(names)}"
                yield Bad("wrong_type", detail, json.dumps(values, ensure_ascii=False))
    except UnicodeDecodeError as error:
        told = f"not UTF-8: {error.reason} in line {reader.line_num + 1}"
        raise UserError(f"{path}: {told}; save it as UTF-8") from error
    except csv.Error as error:
        raise UserError(f"{path}: line {reader.line_num + 1}: not valid CSV ({error})") from error


def _text_lines(path: Path, chunks: Iterator[bytes]) -> Iterator[str]:
    """Lines with their ends, as csv.reader wants them; quoted fields may span several."""
    rest = b""
    for chunk in chunks:
        bounds.row(path, len(rest))
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
