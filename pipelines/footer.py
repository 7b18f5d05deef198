"""A Parquet file's footer: Thrift's compact form, read and written back, whatever fields it has.

Source: the Thrift compact protocol and parquet.thrift of the Parquet format.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, STRUCT = (1, 2, 3, 4, 5, 6, 7, 8, 9, 12)
Fields = dict[int, tuple[int, Any]]
"""A struct: field number to its type and value; a list is (type of its items, items)."""


@dataclass
class Reader:
    """A place in encoded bytes."""

    data: bytes
    at: int = 0

    def struct(self) -> Fields:
        """The struct that begins here."""
        found: Fields = {}
        number = 0
        while head := self._byte():
            kind = head & 15
            number = number + (head >> 4) if head >> 4 else self._number()
            found[number] = (kind, self._value(kind))
        return found

    def _value(self, kind: int) -> Any:
        if kind in (TRUE, FALSE):
            return kind == TRUE
        if kind == BYTE:
            return self._byte()
        if kind in (I16, I32, I64):
            return self._number()
        if kind in (DOUBLE, BINARY):
            return self._take(8 if kind == DOUBLE else self._varint())
        if kind == LIST:
            head = self._byte()
            size = head >> 4 if head >> 4 != 15 else self._varint()
            items = [self._item(head & 15) for _ in range(size)]
            return head & 15, items
        if kind == STRUCT:
            return self.struct()
        raise ValueError(f"type {kind} in a Parquet footer")

    def _item(self, kind: int) -> Any:
        return self._byte() == TRUE if kind in (TRUE, FALSE) else self._value(kind)

    def _byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def _take(self, size: int) -> bytes:
        self.at += size
        return self.data[self.at - size : self.at]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7

    def _number(self) -> int:
        zigzag = self._varint()
        return (zigzag >> 1) ^ -(zigzag & 1)


def encode(fields: Fields) -> bytes:
    """A struct as bytes; its fields in the order of their numbers."""
    out = bytearray()
    last = 0
    for number, (kind, value) in sorted(fields.items()):
        shown = (TRUE if value else FALSE) if kind in (TRUE, FALSE) else kind
        step = number - last
        out += bytes([step << 4 | shown]) if step < 16 else bytes([shown]) + _number(number)
        out += b"" if kind in (TRUE, FALSE) else _encoded(kind, value)
        last = number
    return bytes(out) + b"\0"


def _encoded(kind: int, value: Any) -> bytes:
    if kind in (I16, I32, I64):
        return _number(value)
    if kind in (DOUBLE, BINARY):
        return (b"" if kind == DOUBLE else _varint(len(value))) + bytes(value)
    if kind == LIST:
        inner, items = value
        head = bytes([len(items) << 4 | inner]) if len(items) < 15 else bytes([240 | inner])
        size = b"" if len(items) < 15 else _varint(len(items))
        return head + size + b"".join(_encoded(inner, item) for item in items)
    if kind == STRUCT:
        return encode(value)
    return bytes([(TRUE if value else FALSE) if kind in (TRUE, FALSE) else value])


def _number(value: int) -> bytes:
    return _varint((value << 1) ^ (value >> 63))


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


MAGIC = b"PAR1"


def split(file: bytes | memoryview) -> tuple[memoryview, Fields]:
    """The column data of a whole Parquet file, between the magic and the footer, and the footer."""
    whole = memoryview(file)
    (size,) = struct.unpack("<I", whole[-8:-4])
    return whole[4 : -8 - size], Reader(bytes(whole[-8 - size : -8])).struct()


def tail(fields: Fields) -> bytes:
    """The end of a Parquet file with this footer."""
    coded = encode(fields)
    return coded + struct.pack("<I", len(coded)) + MAGIC
