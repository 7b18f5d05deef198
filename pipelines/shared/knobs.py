"""The knobs of params.yaml as the typed models declare them: key, type, bounds, default."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from curation.core.errors import UserError
from curation.core.words import meant
from pipelines.core.params import Params
from pipelines.core.params.placement import Placement
from pipelines.core.params.section import Model

NAME = "NAME"  # stands in a key for the name of an entry, as in sources.NAME.format
_SIGNS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_TYPES = {int: "integer", float: "number", str: "text", bool: "true or false", type(None): "null"}


@dataclass(frozen=True)
class Knob:
    """One knob of params.yaml.

    Attributes:
        key: dotted; NAME stands for the name of an entry.
        kind: its type in words.
        bounds: what a number must hold, such as "> 0, <= 1"; empty where anything goes.
        default: as it would be written; None where a recipe must say it.
        unit: what the number counts; empty where it counts nothing.
        says: one sentence of what it does.
        section: whether it is a map of further knobs.
    """

    key: str
    kind: str
    bounds: str
    default: str | None
    unit: str
    says: str
    section: bool = False


def every() -> list[Knob]:
    """Every knob and section, in the order of the models; those of several kinds stand once."""
    found: dict[str, Knob] = {}
    for knob in _of(Params, ""):
        found[knob.key] = _both(found.get(knob.key, knob), knob)
    return list(found.values())


def placed() -> list[Knob]:
    """The knobs of placement.yaml."""
    return list(_of(Placement, ""))


def _both(one: Knob, other: Knob) -> Knob:
    """One knob for two kinds of a section, such as the path of two judges."""
    says = one.says if other.says in one.says else f"{one.says} {other.says}"
    kind = one.kind if other.kind in one.kind else f"{one.kind} | {other.kind}"
    return replace(one, says=says, kind=kind)


def named(key: str) -> tuple[Knob, list[Knob]]:
    """The knob of a key, as iterations.iter1.n or iterations.NAME.n, and those right below it.

    Raises:
        UserError: there is none; the message names the nearest key.
    """
    knobs = every()
    asked = key.split(".")
    found = next((one for one in knobs if _matches(one.key.split("."), asked)), None)
    if found is None:
        raise UserError(f"{key}: no such key of params.yaml; {_nearest(asked, knobs)}")
    depth = len(asked) + (1 if entries_of(found, knobs) else 0)
    below = [one for one in knobs if one.key.startswith(f"{found.key}.")]
    return found, [one for one in below if one.key.count(".") == depth]


def entries_of(knob: Knob, knobs: list[Knob]) -> bool:
    """Whether a knob is a map of entries by name."""
    return any(one.key.startswith(f"{knob.key}.{NAME}.") for one in knobs)


def choices(field: FieldInfo) -> list[str]:
    """The words that a field takes where it takes a few; else none."""
    return [
        str(word)
        for one in members(field.annotation)
        if get_origin(one) is Literal
        for word in get_args(one)
    ]


def section(field: FieldInfo) -> type[Model] | None:
    """The model of a field that is a section of its own, optional ones included."""
    return next((one for one in members(field.annotation) if _is_model(one)), None)


def entries(field: FieldInfo) -> tuple[type[Model], ...]:
    """The models that an entry of a map of sections by name may have, such as those of judges."""
    if get_origin(field.annotation) is not dict:
        return ()
    of = get_args(field.annotation)[1]
    several = get_args(get_args(of)[0]) if get_origin(of) is Annotated else (of,)
    return tuple(one for one in several if _is_model(one))


def members(annotation: Any) -> tuple[Any, ...]:
    """The members of a union; of any other type the type alone."""
    if get_origin(annotation) in (Union, types.UnionType):
        return get_args(annotation)
    return (annotation,)


def default(field: FieldInfo) -> Any:
    """A field's default as plain values."""
    value = field.get_default()
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    return list(value) if isinstance(value, tuple) else value


def unit(field: FieldInfo) -> str:
    """What a field's number counts; empty where it counts nothing."""
    extra = field.json_schema_extra
    return str(extra["unit"]) if isinstance(extra, dict) else ""


def _of(model: type[Model], prefix: str) -> Iterator[Knob]:
    for name, field in model.model_fields.items():
        key = f"{prefix}{name}"
        one, several = section(field), entries(field)
        yield _knob(key, field, one is not None or bool(several))
        if one is not None:
            yield from _of(one, f"{key}.")
        for entry in several:
            yield from _of(entry, f"{key}.{NAME}.")


def _knob(key: str, field: FieldInfo, is_section: bool) -> Knob:
    written = None if field.is_required() else _written(default(field), is_section)
    return Knob(
        key,
        kind=" or ".join(_kind(one) for one in members(field.annotation)),
        bounds=", ".join(filter(None, map(_bound, _metadata(field)))),
        default=written,
        unit=unit(field),
        says=str(field.description),
        section=is_section,
    )


def _written(value: Any, is_section: bool) -> str:
    if value is None:
        return "null"
    if is_section:
        return "{}" if not value else "its own defaults"
    if isinstance(value, list):
        return f"[{', '.join(map(str, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value) or '""'


def _kind(annotation: Any) -> str:
    """A type in words."""
    origin, given = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " | ".join(map(str, given))
    if origin is Annotated:
        return _kind(given[0])
    if origin is list:
        return f"list of {' or '.join(_kind(one) for one in members(given[0]))}"
    if origin is tuple:
        return f"list of {len(given)} numbers"
    if origin is dict:
        return "map of sections by name" if _is_model(given[1]) or _kinds(given[1]) else "map"
    return _TYPES.get(annotation, "section" if _is_model(annotation) else "anything")


def _kinds(annotation: Any) -> bool:
    """Whether a type is a union of sections, told apart by their kind."""
    inner = get_args(annotation)[0] if get_origin(annotation) is Annotated else None
    return any(map(_is_model, members(inner)))


def _metadata(field: FieldInfo) -> list[Any]:
    """What bounds a field: its own metadata, and that of the members of its type."""
    found = list(field.metadata)
    for one in members(field.annotation):
        if get_origin(one) is Annotated:
            for extra in get_args(one)[1:]:
                found += extra.metadata if isinstance(extra, FieldInfo) else [extra]
    return found


def _bound(extra: Any) -> str:
    for name, sign in _SIGNS.items():
        if isinstance(extra, annotated_types.BaseMetadata) and hasattr(extra, name):
            return f"{sign} {getattr(extra, name):,}"
    return ""


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Model)


def _matches(pattern: list[str], asked: list[str]) -> bool:
    return len(pattern) == len(asked) and all(
        one in (NAME, given) for one, given in zip(pattern, asked, strict=True)
    )


def _nearest(asked: list[str], knobs: list[Knob]) -> str:
    """The nearest key at the deepest known level, else the nearest one whose last part is alike."""
    keys = [one.key for one in knobs]
    told = meant(".".join(asked), keys)
    if told.startswith("did you mean"):
        return told
    last = meant(asked[-1], {key.rpartition(".")[2] for key in keys})
    if not last.startswith("did you mean"):
        return f"sections: {', '.join(key for key in keys if '.' not in key)}"
    word = last.removeprefix("did you mean ").removesuffix("?")
    return f"did you mean {' or '.join(key for key in keys if key.rpartition('.')[2] == word)}?"
