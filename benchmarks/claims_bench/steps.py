"""Stages of the graph called one after another in one process: models' libraries load once."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import yaml

from pipelines.core import io
from pipelines.core.outputs import Outputs

DATA = Path("data")
PROMPTS = DATA / "prompts/prompts.parquet"
POOL = DATA / "samples"  # responses of pi0 that many arms share
SFT = DATA / "checkpoints/sft"
JUDGES = DATA / "checkpoints/reward_models"
START = DATA / "start"  # the history before the first iteration: empty


def call(module: str, **flags: object) -> None:
    """Run `python -m MODULE --flag value ...` in this process; a failure ends it.

    The module is spelt out, such as pipelines.stages.sft: so it counts as code of the caller.
    """
    argv = []
    for name, value in flags.items():
        argv += [f"--{name.replace('_', '-')}", str(value)]
    code = importlib.import_module(module).main(argv)
    sys.stdout.flush()
    if code:
        sys.exit(code)


def merged(recipe: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A recipe with some of its keys changed; mappings are merged, all else is replaced."""
    result = dict(recipe)
    for key, value in changes.items():
        inside = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if inside else value
    return result


def recipe_with(changes: dict[str, Any], path: Path) -> Path:
    """Write params.yaml with changes as another recipe."""
    recipe = yaml.safe_load(Path("params.yaml").read_text("utf-8"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(merged(recipe, changes), sort_keys=False), "utf-8")
    return path


def settings() -> dict[str, Any]:
    """The bench's own parameters, claims.yaml."""
    found: dict[str, Any] = yaml.safe_load(Path("claims.yaml").read_text("utf-8"))
    return found


def figures(path: Path) -> dict[str, Any]:
    """A metrics file that a stage wrote."""
    found: dict[str, Any] = io.read_json(path)
    return found


def save(path: Path, told: dict[str, Any]) -> None:
    """Write a metrics file whole, its numbers rounded as all metrics of the graph are."""
    outputs = Outputs()
    outputs.json(path, told)
    outputs.commit()
