"""A recipe's text as plain values: YAML read strictly, and laid over the recipe that it extends.

``extends: NAME`` (or a path) names another recipe. Maps are merged key by key; anything else, lists
included, replaces what the other recipe says; null is a value like any other. ``remove: [a.b]``
takes keys out of the other recipe first, so a map that is removed and given again is replaced.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from curation.core.errors import UserError
from curation.core.words import meant

FOLDER = Path("recipes")
IN_PLACE = Path("params.yaml")
OWN = ("extends", "remove")  # keys of a recipe that no stage sees
_FLOAT = re.compile(r"^[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+$")


class _Loader(yaml.CSafeLoader):
    """YAML in which 1e-5 is a number, as DVC reads it, and no key stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [key.value for key, _ in node.value if key.value != "<<"]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            line = node.start_mark.line + 1
            raise yaml.YAMLError(f"the key {twice} stands twice in the map of line {line}")
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+.0123456789"))


@dataclass(frozen=True)
class Recipe:
    """The whole of a recipe, and the files that it is laid together from, its own first."""

    values: dict[str, Any]
    files: tuple[tuple[Path, dict[str, Any]], ...]

    @property
    def path(self) -> Path:
        """The recipe's own file."""
        return self.files[0][0]

    def origin(self, key: str) -> Path:
        """The file that gives the most of a dotted key; the recipe's own where none gives any."""
        parts = key.split(".")
        found = [(_depth(values, parts), -place) for place, (_, values) in enumerate(self.files)]
        return self.files[-max(found)[1]][0]


def read(path: Path) -> Recipe:
    """A recipe with all that it extends laid under it.

    Raises:
        UserError: a file is missing or is no YAML map, recipes extend each other in a circle, or a
            key to remove is not there.
    """
    return _read(path, ())


def _read(path: Path, seen: tuple[Path, ...]) -> Recipe:
    values = _parse(path)
    base, removed = values.pop("extends", None), values.pop("remove", [])
    own = ((path, values),)
    if base is None:
        if removed:
            raise UserError(f"{path}: remove: there is nothing to remove from without extends")
        return Recipe(values, own)
    if not isinstance(base, str) or not _words(removed):
        raise UserError(f"{path}: extends takes a name or path, and remove a list of dotted keys")
    if path.name == IN_PLACE.name:
        raise UserError(f"{path}: extends: DVC reads this file alone; run prefloop use RECIPE")
    under = _find(base, path)
    if under.resolve() in [one.resolve() for one in (*seen, path)]:
        circle = " -> ".join(str(one) for one in (*seen, path, under))
        raise UserError(f"{path}: extends: {circle}: recipes that extend each other in a circle")
    below = _read(under, (*seen, path))
    kept = below.values
    for key in removed:
        kept = _without(kept, key.split("."), f"{path}: remove: {key}")
    return Recipe(_merged(kept, values), (*own, *below.files))


def _parse(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise UserError(f"{path}: no such file; name the recipe with --params")
    try:
        found = yaml.load(path.read_text("utf-8"), _Loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise UserError(f"{path}: not valid YAML: it nests too deep to be a recipe") from error
    if not isinstance(found, dict):
        raise UserError(f"{path}: the whole file: not a map of sections; see recipes/sample.yaml")
    return found


def _words(given: object) -> bool:
    return isinstance(given, list) and all(isinstance(one, str) for one in given)


def _find(name: str, path: Path) -> Path:
    """The recipe that another one extends: beside it, in recipes/, or a path from either place."""
    above = [folder for folder in path.absolute().parents if folder.name == FOLDER.name]
    places = [path.parent, *above[:1], FOLDER, Path()]
    file = name if name.endswith(".yaml") else f"{name}.yaml"
    found = [place / file for place in places if (place / file).is_file()]
    if not found:
        known = [one.stem for place in places[:-1] for one in place.glob("*.yaml")]
        raise UserError(f"{path}: extends: no recipe {name}; {meant(name, known)}")
    others = [one for one in found if one.resolve() != path.resolve()]
    chosen = (others or found)[0].absolute()
    return chosen.relative_to(Path.cwd()) if chosen.is_relative_to(Path.cwd()) else chosen


def _without(values: Mapping[str, Any], parts: Sequence[str], told: str) -> dict[str, Any]:
    name, *rest = parts
    if not isinstance(values, Mapping) or name not in values:
        known = values if isinstance(values, Mapping) else ()
        raise UserError(f"{told}: the recipe it extends has no {name}; {meant(name, known)}")
    if not rest:
        return {key: value for key, value in values.items() if key != name}
    return {**values, name: _without(values[name], rest, told)}


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    return {**under, **{key: _laid(under.get(key), value) for key, value in over.items()}}


def _laid(under: object, over: object) -> object:
    if isinstance(under, Mapping) and isinstance(over, Mapping):
        return _merged(under, over)
    return over


def _depth(values: object, parts: Sequence[str]) -> int:
    """How many parts of a dotted key a file gives."""
    for depth, part in enumerate(parts):
        if not isinstance(values, Mapping) or part not in values:
            return depth
        values = values[part]
    return len(parts)
