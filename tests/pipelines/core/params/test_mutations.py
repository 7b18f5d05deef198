"""Every leaf of every shipped recipe, spoilt in every way that fits it, is refused by its key.

Free texts, of which nothing can be known without data or a network, have their reason in FREE: a
misspelt word of theirs is not tried. Files are looked up only for recipes whose files are here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from curation.core.errors import UserError
from pipelines.core import params
from pipelines.core.params.text import Recipe, read
from pipelines.shared import recipe_files

ROOT = Path(__file__).resolve().parents[4]
RECIPES = ("ci", "gemma-2b", "llama3-8b", "qwen3-8b", "real-small", "sample", "claims/recipe")

FREE = {
    r"sources\.\w+\.(license|annotator)|base\.license": "what people call it; no stage runs on it",
    r"sources\.\w+\.(uri|revision)|base\.(uri|revision)": "only the Hub knows what it holds",
    r"sources\.\w+\.options\.(column|columns\.\w+)": "only the file knows its columns",
}
"""Keys -> why a misspelt word of theirs cannot be known; their type is still checked."""

UNBOUND = {
    r"sources\.\w+\.filters\.\d+\.low_chosen_score": "scores have any scale, below 0 too",
    r"pairs\.length_penalty": "below 0 it asks for longer answers",
}
"""Keys -> why a number below 0 is no error."""

FRACTIONS = {
    r"\w+\.epochs": "a part of an epoch is allowed",
    r"sources\.\w+\.filters\.\d+\.low_chosen_score": "a score may be 8.5",
}
"""Keys -> why a fraction is no error, though the recipe gives a whole number."""

Place = tuple[str | int, ...]


def _leaves(value: Any, at: Place = ()) -> Iterator[tuple[Place, Any]]:
    if not isinstance(value, dict | list) or not value:
        yield at, value
        return
    for key, one in value.items() if isinstance(value, dict) else enumerate(value):
        yield from _leaves(one, (*at, key))


def _spoilt(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    """What is done to a leaf and what it is then: another type, a misspelt word, a far number."""
    if isinstance(value, bool):
        yield from (("type", "maybe"), ("type", 7))
    elif isinstance(value, int | float):
        yield from (("type", "seven"), ("type", [value]), ("type", {"a": value}), ("type", True))
        if not _matches(key, UNBOUND):
            yield "range", -1
        yield "range", 1e30 if isinstance(value, float) else 10**30
        if isinstance(value, int) and not _matches(key, FRACTIONS):
            yield "type", value + 0.5
    elif isinstance(value, str):
        yield from (("type", 7), ("type", [value]), ("type", {"a": value}))
        if not _matches(key, FREE):
            yield from (("word", f"{value}z"), ("word", f"z{value}"), ("name", "nowhere"))
    elif value is None:
        yield from (("type", [7]), ("type", {"a": 7}))
    elif value in ({}, []):
        yield from (("type", "seven"), ("type", 7))


def _matches(key: str, patterns: dict[str, str]) -> bool:
    return any(re.fullmatch(pattern, key) for pattern in patterns)


def _renamed(value: Any, at: Place = ()) -> Iterator[tuple[Place, str]]:
    """Every key that is a word of the recipe's language, misspelt: maps of names have their own."""
    if isinstance(value, dict):
        for key, one in value.items():
            if not _is_name(at):
                yield (*at, key), f"{key}z"
            yield from _renamed(one, (*at, key))
    elif isinstance(value, list):
        for place, one in enumerate(value):
            yield from _renamed(one, (*at, place))


def _is_name(at: Place) -> bool:
    """Whether the keys of the map at a place are names of a person's own, which may be unused."""
    return at in (("sources",), ("mixes",), ("iterations",))


def _set(values: Any, place: Place, new: Any) -> Any:
    """A copy with one leaf changed; all else is shared."""
    first, *rest = place
    made = dict(values) if isinstance(values, dict) else list(values)
    made[first] = _set(made[first], tuple(rest), new) if rest else new
    return made


def _rename(values: Any, place: Place, new: str) -> Any:
    first, *rest = place
    if rest:
        return _set(values, (first,), _rename(values[first], tuple(rest), new))
    return {new if key == first else key: one for key, one in values.items()}


def _refusal(values: dict[str, Any], files: bool) -> str | None:
    recipe = Recipe(values, ((Path("mine.yaml"), values),))
    try:
        found = params.check(recipe)
    except UserError as error:
        return str(error).removeprefix("mine.yaml: ")
    return next(recipe_files.problems(found), None) if files else None


def _says(place: Place, refusal: str) -> bool:
    """Whether a refusal names the key: its last word, or the map or list that it is in."""
    words = [str(part) for part in place if not isinstance(part, int)]
    key = refusal.partition(": ")[0]
    return words[-1] in refusal or key in (".".join(words), ".".join(words[:-1]))


def _mutants(values: dict[str, Any], files: bool) -> Iterator[tuple[Place, str, dict[str, Any]]]:
    """Where a recipe is spoilt, how, and the spoilt whole."""
    for place, value in _leaves(values):
        key = ".".join(map(str, place))
        for how, new in _spoilt(key, value):
            if how == "type" or files or not re.search(r"\.path$|\.oracle\.", key):
                yield place, f"{how}: {new!r}", _set(values, place, new)
    for place, new in _renamed(values):
        yield place, f"key: {new}", _rename(values, place, new)


@pytest.mark.parametrize("name", RECIPES)
def test_a_spoilt_leaf_is_refused_by_its_key(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    values = read(Path(f"recipes/{name}.yaml")).values
    files = _refusal(values, files=True) is None
    tried, missed = 0, []
    for place, how, spoilt in _mutants(values, files):
        tried += 1
        said = _refusal(spoilt, files)
        if said is None or not _says(place, said):
            missed.append((".".join(map(str, place)), how, said))
    print(f"{name}: {tried} mutations, {len(missed)} missed: {missed}")
    assert tried > 500
    assert len(missed) <= tried // 50, missed
