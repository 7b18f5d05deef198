"""params.yaml as typed models: every knob of every stage, unknown keys refused by name."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import ValidationError

from curation.core.errors import UserError
from pipelines.core.params.links import check_links
from pipelines.core.params.recipe import Params

__all__ = ["Params", "load"]


def load(path: Path) -> Params:
    """Read and check params.yaml.

    Raises:
        UserError: the file is missing, is not YAML, or a key is unknown, missing or out of range.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file; name the recipe with --params")
    try:
        raw = yaml.safe_load(path.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        line = " ".join(str(error).split())
        raise UserError(f"{path}: not valid YAML: {line}") from error
    try:
        params = Params.model_validate(raw)
    except ValidationError as error:
        raise UserError(f"{path}: {_first(error)}") from error
    check_links(params, path)
    return params


def _first(error: ValidationError) -> str:
    """The first problem as one line with its dotted key, and how many more there are."""
    problems = error.errors()
    first = problems[0]
    key = ".".join(str(part) for part in first["loc"]) or "the whole file"
    what = {
        "extra_forbidden": "unknown key; check its spelling against the README",
        "missing": "missing; add it",
    }.get(first["type"], first["msg"])
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{key}: {what}{more}"
