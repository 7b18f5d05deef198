"""A recipe written out whole: params.yaml with every knob, each with its sentence."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic.fields import FieldInfo

from pipelines.core.params import Params
from pipelines.core.params.section import Model
from pipelines.core.params.text import Recipe
from pipelines.shared import knobs

SCHEMA = Path("params.schema.json")
EDITOR = "# yaml-language-server: $schema="
_WIDTH = 100
_ENTRY = 112  # an iteration stands in one line
_COLUMN = 32  # where a comment starts behind a short value


def text(recipe: Recipe) -> str:
    """The whole of a recipe: its own head comment, then each section with all its knobs.

    What the recipe and those it extends do not say is written at its default, so that the file
    stays true when a default changes. Entries of maps by name hold what they say, and no more.
    """
    path = recipe.path
    named = path.stem if path.name != "recipe.yaml" else path.parent.name
    files = ", which extends ".join(_shown(file) for file, _ in recipe.files)
    head = [
        f"{EDITOR}{SCHEMA}",
        *_wrapped(f"Written by `prefloop use {named}` from {files}.", 0),
        *_head(path),
        *_wrapped("What a knob takes: prefloop params KEY, or docs/reference/parameters.md.", 0),
    ]
    body = [
        line
        for name, field in Params.model_fields.items()
        for line in ("", *_top(name, field, recipe.values))
    ]
    return "\n".join([*head, *body]) + "\n"


def _shown(path: Path) -> str:
    return os.path.relpath(path) if path.is_absolute() else path.as_posix()


def _head(path: Path) -> list[str]:
    """The comment that a recipe starts with, without the line for editors."""
    found = []
    for line in path.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            break
        if not line.startswith(EDITOR):
            found.append(line)
    return found


def _top(name: str, field: FieldInfo, values: Mapping[str, Any]) -> Iterator[str]:
    yield from _wrapped(str(field.description), 0)
    several = [knob for model in knobs.entries(field) for knob in model.model_fields]
    if several:
        yield from _wrapped(f"Each may give {', '.join(dict.fromkeys(several))}.", 0)
    yield from _knob(name, field, values, 0, told=False)


def _section(model: type[Model], values: Mapping[str, Any], indent: int) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield from _knob(name, field, values, indent)


def _knob(
    name: str, field: FieldInfo, values: Mapping[str, Any], indent: int, told: bool = True
) -> Iterator[str]:
    value = values[name] if name in values else knobs.default(field)
    said = _said(field) if told else ""
    model = knobs.section(field)
    if model is not None and isinstance(value, Mapping):
        yield from _with_comment(f"{' ' * indent}{name}:", said, indent)
        yield from _section(model, value, indent + 2)
        return
    first, *rest = _lines(name, value, indent)
    yield from _with_comment(first, said, indent)
    yield from rest


def _said(field: FieldInfo) -> str:
    """What a knob does, with its unit and the words that it takes."""
    says = str(field.description).rstrip(".")
    if unit := knobs.unit(field):
        says += f" ({unit})"
    words = knobs.choices(field)
    return f"{says}: {' | '.join(words)}" if len(words) > 1 else f"{says}."


def _with_comment(line: str, said: str, indent: int) -> Iterator[str]:
    """The comment behind a line where there is room for it, else above."""
    beside = f"{line.ljust(_COLUMN)}  # {said}"
    if not said:
        yield line
    elif len(beside) <= _WIDTH:
        yield beside
    else:
        yield from _wrapped(said, indent)
        yield line


def _wrapped(said: str, indent: int) -> list[str]:
    start = f"{' ' * indent}# "
    return textwrap.wrap(said, _WIDTH, initial_indent=start, subsequent_indent=start)


def _lines(name: str, value: Any, indent: int) -> Iterator[str]:
    """A value in one line where it fits, else a map or list in several."""
    line = f"{' ' * indent}{name}: {_flow(value)}"
    if len(line) <= _ENTRY or not isinstance(value, dict | list):
        yield line
        return
    yield f"{' ' * indent}{name}:"
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _lines(key, one, indent + 2)
        return
    yield from (f"{' ' * indent}- {_flow(one)}" for one in value)


def _flow(value: Any) -> str:
    dumped = yaml.safe_dump(
        value, default_flow_style=True, width=float("inf"), sort_keys=False, allow_unicode=True
    )
    return dumped.removesuffix("\n").removesuffix("\n...")
