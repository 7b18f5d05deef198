"""Typed arguments: a stage declares its flags as fields, and its parser follows from them.

``class Args(Arguments)`` is a frozen dataclass of keyword fields. How a field is declared says what
it is to the stage, its type says how its text is read: ``Path | None`` may be left out when it has
a default, ``tuple[Path, ...]`` takes several, ``bool`` is a switch.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar, dataclass_transform, get_args, get_origin, get_type_hints


def reads(*, default: Any = MISSING, **words: Any) -> Any:
    """A path, or several, that the stage reads: an edit while it runs is refused."""
    return _field("reads", default, {"metavar": "PATH", **words})


def writes(*, default: Any = MISSING, **words: Any) -> Any:
    """A path that the stage writes: its lock and its work folders are named by it."""
    return _field("writes", default, {"metavar": "PATH", **words})


def foreach(*, default: Any = MISSING, **words: Any) -> Any:
    """What tells one item of a `foreach` stage from another, such as mix1 of mix@mix1."""
    return _field("foreach", default, words)


def option(*, default: Any = MISSING, **words: Any) -> Any:
    """Any other flag; `words` are those of argparse, and ``positional=True`` drops the dashes."""
    return _field("option", default, words)


def _field(role: str, default: Any, words: dict[str, Any]) -> Any:
    return field(default=default, metadata={"role": role, "words": words})


@dataclass_transform(
    kw_only_default=True, frozen_default=True, field_specifiers=(reads, writes, foreach, option)
)
class Base:
    """Makes each subclass a frozen dataclass of keyword fields."""

    def __init_subclass__(cls) -> None:
        """Runs before any instance is made."""
        dataclass(frozen=True, kw_only=True)(cls)


class Arguments(Base):
    """What every stage takes; ``inputs`` and ``outputs`` may be overridden."""

    params: Path = reads(default=Path("params.yaml"), metavar="FILE")

    def inputs(self) -> list[Path]:
        """The paths that may not change while the stage runs."""
        return list(self._paths("reads"))

    def outputs(self) -> list[Path]:
        """The paths that no second run may write at the same time."""
        return list(self._paths("writes"))

    def label(self, name: str) -> str:
        """The stage's name with its item, as the graph has it: mix@mix1."""
        return "@".join([name, *(str(value) for value in self._values("foreach"))])

    def _paths(self, role: str) -> Iterator[Path]:
        for value in self._values(role):
            yield from value if isinstance(value, tuple) else [value]

    def _values(self, role: str) -> Iterator[Any]:
        for one in _fields(type(self)):
            value = getattr(self, one.name)
            if one.metadata["role"] == role and value is not None:
                yield value


A = TypeVar("A", bound=Arguments)


def parse(name: str, kind: type[A], argv: Sequence[str]) -> A:
    """Read a command line as arguments of this kind; --help shows its module's docstring.

    A flag that is not given has its field's default. Wrong flags end the process, as argparse does.
    """
    parser = argparse.ArgumentParser(
        prog=f"prefloop {name.replace('_', '-')}" if ".commands." in kind.__module__ else None,
        description=sys.modules[kind.__module__].__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    hints = get_type_hints(kind)
    for one in _fields(kind):
        _add(parser, one, hints[one.name])
    given = vars(parser.parse_args(argv)).items()
    values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in given}
    return kind(**values)


def _add(parser: argparse.ArgumentParser, one: Field[Any], hint: Any) -> None:
    """Add one field's flag."""
    words = dict(one.metadata["words"])
    if words.pop("positional", False):
        parser.add_argument(one.name, **words)
        return
    if hint is bool:
        words["action"] = "store_true"
    else:
        words["type"], several = _read(hint)
        words["required"] = one.default is MISSING
        if several:
            words |= {"nargs": "+"} if one.metadata["role"] == "reads" else {"action": "append"}
    flag = one.name.rstrip("_").replace("_", "-")  # `from_` is --from: a keyword names no field
    parser.add_argument(f"--{flag}", dest=one.name, **words)


def _read(hint: Any) -> tuple[Any, bool]:
    """What reads one value of a field's type, and whether it takes several."""
    inner = [part for part in get_args(hint) if part not in (type(None), Ellipsis)]
    return (inner[0] if inner else hint), get_origin(hint) is tuple


def _fields(kind: type[Arguments]) -> list[Field[Any]]:
    """A stage's own fields, then those that all stages have."""
    shared = {one.name for one in fields(Arguments)}
    return sorted(fields(kind), key=lambda one: one.name in shared)
