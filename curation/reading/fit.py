"""One native value against the type a format wants: the value as that type, or where it misfits.

Values are only converted where nothing is lost: whole floats to integers, 0 and 1 to booleans, and,
where a format says so, numbers to text.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import polars as pl

from curation.core.messages import ROLES
from curation.core.schema import MESSAGE, MESSAGES
from curation.reading.readers import kind_of
from curation.reading.turns import TurnError, exchange, is_plain, turn

SAID = pl.Struct({"from": pl.String, "value": pl.String})
MESSAGE_TYPES = (MESSAGE, SAID)
MESSAGE_LISTS = (MESSAGES, pl.List(SAID))


class MisfitError(Exception):
    """A value of another type, as "path: integer, not string", and the rule it breaks."""

    def __init__(self, detail: str, rule: str = "wrong_type") -> None:
        super().__init__(detail)
        self.rule = rule


def words(dtype: Any) -> set[str]:
    """JSON words for the values that fit a Polars type."""
    if dtype == pl.String:
        return {"string"}
    if dtype == pl.Boolean:
        return {"boolean"}
    if dtype == pl.Int64:
        return {"integer"}
    if dtype == pl.Float64:
        return {"integer", "number"}
    return {"array"} if isinstance(dtype, pl.List) else {"object"}


def shapes(dtype: Any) -> set[str]:
    """What `shape_of` says of values that fit a type: lists are told apart by what they hold."""
    if dtype in MESSAGE_LISTS:
        return {"array", "array of object", "array of array", "object"}
    if isinstance(dtype, pl.List):
        return {"array", *(f"array of {word}" for word in words(dtype.inner))}
    return words(dtype)


def shape_of(value: Any) -> str:
    """JSON's word for a value's type, of a list with the type of its first item."""
    kind = kind_of(value)
    first = next((item for item in value if item is not None), None) if kind == "array" else None
    return kind if first is None else f"{kind} of {kind_of(first)}"


def fitted(value: Any, dtype: Any, path: str, loose: bool = False) -> Any:
    """The value as the type holds it; null stays null.

    Args:
        loose: A number or boolean where text is wanted becomes its text, and the text of a number
            that number.

    Raises:
        MisfitError: the value, or one inside it, is of another type.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return value if dtype == pl.Float64 else None
    if isinstance(value, list | dict) and (dtype in MESSAGE_LISTS or dtype in MESSAGE_TYPES):
        return _said(value, dtype, path)
    if isinstance(dtype, pl.List) and isinstance(value, list):
        return [fitted(item, dtype.inner, f"{path}[{i}]", loose) for i, item in enumerate(value)]
    if isinstance(dtype, pl.Struct) and isinstance(value, dict):
        return {
            f.name: fitted(value.get(f.name), f.dtype, f"{path}.{f.name}", loose)
            for f in dtype.fields
        }
    return _scalar(value, dtype, path, loose)


def _said(value: Any, dtype: Any, path: str) -> Any:
    """A message, or a list of them; one message where a list is wanted is a list of one."""
    if dtype in MESSAGE_TYPES:
        if isinstance(value, list):
            raise MisfitError(f"{path}: array, not object")
        return _turn(value, dtype, path)
    return list(_turns(value if isinstance(value, list) else [value], dtype.inner, path))


def _turns(value: list[Any], dtype: Any, path: str) -> Iterator[dict[str, Any] | None]:
    """The messages of a list; an exchange is two, and lone texts take turns, the user's first."""
    texts = not path.startswith(_ANSWERS) and all(isinstance(one, str) for one in value)
    for place, one in enumerate(value):
        at = f"{path}[{place}]"
        if texts:
            yield _turn({"role": _TURNS[place % 2], "content": one}, dtype, at)
        elif pair := exchange(one):
            for role, text in zip(_TURNS, pair, strict=True):
                yield _turn({"role": role, "content": text}, dtype, at)
        elif one is None or isinstance(one, dict):
            yield None if one is None else _turn(one, dtype, at)
        else:
            raise MisfitError(f"{at}: {kind_of(one)}, not object")


_TURNS = ("user", "assistant")
_ANSWERS = ("chosen", "rejected", "response")  # several texts there are several answers


def _turn(value: dict[str, Any], dtype: Any, path: str) -> dict[str, Any]:
    """A message under the names of its type, whatever names it was published under."""
    role, text = (one.name for one in dtype.fields)
    if not is_plain(value, role, text):
        try:
            found = turn(value)
        except TurnError as wrong:
            raise MisfitError(f"{path}: {wrong.detail}", wrong.rule) from wrong
        value = dict(zip((role, text), found, strict=True))
    made = {name: _scalar(value[name], pl.String, f"{path}.{name}", False) for name in (role, text)}
    if dtype == MESSAGE:  # the other kind of message is renamed with its fields
        made[role] = ROLES.get(made[role], made[role])
    return made


def _scalar(value: Any, dtype: Any, path: str, loose: bool) -> Any:
    kind = kind_of(value)
    if kind == "null":
        return None
    if kind == "number" and dtype == pl.Int64 and float(value).is_integer():
        value, kind = int(value), "integer"
    if kind == "integer" and dtype == pl.Boolean and value in (0, 1):
        return bool(value)
    if loose:
        value = _across(value, kind, dtype)
        kind = kind_of(value)
    if kind not in words(dtype):
        raise MisfitError(f"{path}: {kind}, not {' or '.join(sorted(words(dtype)))}")
    if kind == "integer" and not -(2**63) <= value < 2**63:
        raise MisfitError(f"{path}: integer beyond 64 bits")
    return float(value) if dtype == pl.Float64 else value


def _across(value: Any, kind: str, dtype: Any) -> Any:
    """A number as text, the text of a number as that, a boolean as 0 or 1, where one is wanted."""
    if dtype == pl.String and kind in ("integer", "number", "boolean"):
        return str(value)
    if dtype in (pl.Int64, pl.Float64):
        if kind == "boolean":
            return int(value)
        if kind == "string":
            number = parsed(value.strip(), pl.Float64)
            whole = isinstance(number, float) and number.is_integer() and dtype == pl.Int64
            return int(number) if whole else number
    return value


def parsed(text: str, dtype: Any) -> Any:
    """A CSV field as the type wants it; what cannot be read stays text, which will not fit."""
    if dtype == pl.String:
        return text
    if text == "":
        return None
    try:
        if dtype == pl.Boolean:
            return {"true": True, "false": False, "1": True, "0": False}.get(text.lower(), text)
        if dtype in (pl.Int64, pl.Float64):
            return float(text) if any(sign in text for sign in ".eEnN") else int(text)
        import orjson

        return orjson.loads(text)
    except ValueError:
        return text
