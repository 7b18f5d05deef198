"""Plain text tables for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from curation.core.errors import printable

WIDTH = 60  # characters of a cell before it is cut
_NUMBER = (int, float)


def table(
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    width: int = WIDTH,
    digits: int | None = None,
) -> str:
    """Rows as an aligned text table: numbers to the right, long cells cut with an ellipsis.

    Args:
        names: heads of the columns.
        rows: values, one for each column; None is an empty cell.
        width: characters of a cell that are shown.
        digits: decimals of every float; six significant digits without.
    """
    cells = [[cell(value, width, digits) for value in row] for row in rows]
    names = [printable(name) for name in names]
    sizes = [max([len(name), *(len(line[at]) for line in cells)]) for at, name in enumerate(names)]
    right = [_numeric([row[at] for row in rows]) for at in range(len(names))]
    lines = [_line(names, sizes, right), _line(["-" * size for size in sizes], sizes, right)]
    lines.extend(_line(line, sizes, right) for line in cells)
    return "\n".join(lines)


def of_rows(rows: Sequence[Mapping[str, Any]], digits: int) -> str:
    """`table` of rows by column name, each with the columns of the first; nothing without a row."""
    if not rows:
        return ""
    names = list(rows[0])
    return table(names, [[row[name] for name in names] for row in rows], digits=digits)


def block(text: str, indent: str = "  ") -> str:
    """A text of several lines, indented, with control characters shown as escapes."""
    return "\n".join(indent + cell(line, len(line) * 10 + 1) for line in text.split("\n"))


def cell(value: Any, width: int = WIDTH, digits: int | None = None) -> str:
    """One value as printable text on one line; control characters are shown as escapes."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.6g}" if digits is None else f"{value:.{digits}f}"
    text = printable(str(value))
    return text if len(text) <= width else text[: width - 1] + "…"


def _numeric(values: Sequence[Any]) -> bool:
    known = [value for value in values if value is not None]
    return bool(known) and all(
        isinstance(value, _NUMBER) and not isinstance(value, bool) for value in known
    )


def _line(cells: Sequence[str], sizes: Sequence[int], right: Sequence[bool]) -> str:
    padded = [
        text.rjust(size) if to_right else text.ljust(size)
        for text, size, to_right in zip(cells, sizes, right, strict=True)
    ]
    return "  ".join(padded).rstrip()
