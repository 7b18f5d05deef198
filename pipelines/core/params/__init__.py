"""params.yaml as typed models: every knob of every stage, unknown keys refused by name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from curation.core.errors import UserError
from curation.core.words import meant
from pipelines.core.params import links, registries
from pipelines.core.params.recipe import Params
from pipelines.core.params.text import Recipe, read

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

__all__ = ["Params", "check", "load"]

_UNION = re.compile(r"^(float|int|str|constrained-str|\w+\[.*\])$")
_FIELD = re.compile(r"^[\w-]+: ")
_QUOTED = re.compile(r"'([^']*)'")


def load(path: Path) -> Params:
    """Read and check params.yaml, or a recipe with all that it extends.

    All is checked that can be known without data, network or other files; those that a recipe names
    are checked by `pipelines.shared.recipe_files`.

    Raises:
        UserError: the file is missing, is not YAML, or a key is unknown, missing or out of range,
            or names what is not there.
    """
    return check(read(path))


def check(recipe: Recipe) -> Params:
    """The whole of a recipe as typed sections.

    Raises:
        UserError: the first thing that is wrong, with the file and the dotted key.
    """
    try:
        params = Params.model_validate(recipe.values)
    except ValidationError as error:
        raise _refused(recipe, _first(error)) from error
    for problem in (*links.problems(params), *registries.problems(params)):
        raise _refused(recipe, problem)
    return params


def _refused(recipe: Recipe, problem: str) -> UserError:
    return UserError(f"{recipe.origin(problem.partition(':')[0])}: {problem}")


def _first(error: ValidationError) -> str:
    """The first problem as one line with its dotted key, and how many more there are."""
    problems = error.errors()
    first = problems[0]
    key = _key(first)
    said = _said(first)
    if _FIELD.match(said):  # a section's own check names its field
        line = f"{key}.{said}" if key else said
    else:
        line = f"{key or 'the whole file'}: {said}"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{line}{more}"


def _key(problem: ErrorDetails) -> str:
    """The dotted key; pydantic also names the members of a union that it has tried."""
    parts = [str(part) for part in problem["loc"] if not _UNION.match(str(part))]
    if parts[:1] == ["judges"] and len(parts) > 2:
        del parts[2]  # the kind, by which the judge's fields are chosen
    return ".".join(parts)


def _said(problem: ErrorDetails) -> str:
    """What is wrong in words; where a word was expected, the nearest one that is allowed."""
    if problem["type"] == "missing":
        return "missing; add it"
    if problem["type"] == "secret":
        return problem["msg"]  # without what was given
    message = problem["msg"].removeprefix("Value error, ")
    context = problem.get("ctx", {})
    allowed = _QUOTED.findall(str(context.get("expected", context.get("expected_tags", ""))))
    given = context.get("tag", problem["input"])
    if allowed and isinstance(given, str):
        return f"no choice {given}; {meant(given, allowed)}"
    return message if isinstance(given, dict | list) else f"{message}, not {given!r}"
