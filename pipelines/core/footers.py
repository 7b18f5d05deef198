"""The footers of Parquet files of one row group each, made the footer of one file of all of them.

No library joins encoded row groups, and Arrow's writer has one thread. A footer is a Thrift struct
in the compact protocol (apache/thrift, doc/specs/thrift-compact-protocol.md); the numbers of its
fields are those of apache/parquet-format, src/main/thrift/parquet.thrift.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

MAGIC = b"PAR1"
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _BINARY, _LIST, _STRUCT = 1, 2, 3, 4, 5, 6, 8, 9, 12
_ROWS, _GROUPS = 3, 4  # of the footer
_COLUMNS, _GROUP_START, _PLACE = 1, 5, 7  # of a row group
_CHUNK_START, _CHUNK = 2, 3  # of a column
_STARTS = (9, 10, 11)  # of its pages: data, index, dictionary

Struct = dict[int, tuple[int, Any]]
"""Field number -> kind and value; a list is its kind of element and its elements."""


def split(file: memoryview) -> tuple[memoryview, Struct]:
    """What lies between the first magic and the footer, and the footer."""
    end = len(file) - len(MAGIC) - 4
    size = int.from_bytes(file[end : end + 4], "little")
    return file[len(MAGIC) : end - size], _Reader(file[end - size : end]).struct()


def tail(footers: Sequence[Struct], starts: Sequence[int]) -> bytes:
    """The end of a file that holds the groups of these footers' files from these bytes on."""
    whole = dict(footers[0])
    groups = []
    for place, (footer, start) in enumerate(zip(footers, starts, strict=True)):
        for group in footer[_GROUPS][1][1]:
            groups.append(_moved(group, start - len(MAGIC)))
            if _PLACE in group:
                groups[-1][_PLACE] = (_I16, place)
    whole[_ROWS] = (_I64, sum(footer[_ROWS][1] for footer in footers))
    whole[_GROUPS] = (_LIST, (_STRUCT, groups))
    made = bytearray()
    _write(made, _STRUCT, whole)
    return bytes(made) + len(made).to_bytes(4, "little") + MAGIC


def _moved(group: Struct, by: int) -> Struct:
    """The group so many bytes further on; a place of 0 says that there is none."""

    def move(struct: Struct, *fields: int) -> Struct:
        there = {one: struct[one] for one in fields if one in struct and struct[one][1]}
        return struct | {one: (kind, place + by) for one, (kind, place) in there.items()}

    columns = []
    for column in group[_COLUMNS][1][1]:
        chunk = move(column[_CHUNK][1], *_STARTS)
        columns.append(move(column, _CHUNK_START) | {_CHUNK: (_STRUCT, chunk)})
    return move(group, _GROUP_START) | {_COLUMNS: (_LIST, (_STRUCT, columns))}


class _Reader:
    """Values of the compact protocol from bytes, one after another."""

    def __init__(self, data: memoryview) -> None:
        self._data, self._at = data, 0

    def struct(self) -> Struct:
        found: Struct = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else _signed(self._varint())
            found[number] = (head & 15, self._value(head & 15))
        return found

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _varint(self) -> int:
        value = shift = 0
        while (byte := self._byte()) & 128:
            value |= (byte & 127) << shift
            shift += 7
        return value | byte << shift

    def _value(self, kind: int) -> Any:
        if kind in (_TRUE, _FALSE):
            return kind == _TRUE
        if kind == _BYTE:
            return self._byte()
        if kind in (_I16, _I32, _I64):
            return _signed(self._varint())
        if kind == _STRUCT:
            return self.struct()
        if kind == _BINARY:
            start = self._varint()
            start, self._at = self._at, self._at + start
            return bytes(self._data[start : self._at])
        if kind == _LIST:
            head = self._byte()
            size = head >> 4 if head >> 4 < 15 else self._varint()
            return head & 15, [self._value(head & 15) for _ in range(size)]
        raise AssertionError(f"kind {kind} in a Parquet footer")


def _write(out: bytearray, kind: int, value: Any) -> None:
    if kind in (_I16, _I32, _I64):
        _varint(out, value << 1 if value >= 0 else (-value << 1) - 1)
    elif kind == _BYTE:
        out.append(value)
    elif kind == _BINARY:
        _varint(out, len(value))
        out += value
    elif kind == _LIST:
        of, elements = value
        short = min(len(elements), 15)
        out.append(short << 4 | of)
        if short == 15:
            _varint(out, len(elements))
        for element in elements:
            _write(out, of, element)
    elif kind == _STRUCT:
        last = 0
        for number, (of, inner) in sorted(value.items()):
            out.append((number - last) << 4 | of)  # no struct of a footer leaves out 15 numbers
            last = number
            _write(out, of, inner)
        out.append(0)


def _signed(number: int) -> int:
    return number >> 1 ^ -(number & 1)


def _varint(out: bytearray, number: int) -> None:
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
