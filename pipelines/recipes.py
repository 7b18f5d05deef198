"""Recipes: `prefloop use RECIPE` puts one in place, `prefloop check-recipe RECIPE` only looks."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from curation.core.errors import UserError
from pipelines.core import params
from pipelines.core.io import atomic

FOLDER = Path("recipes")
IN_PLACE = Path("params.yaml")


def find(name: str, folder: Path = FOLDER) -> Path:
    """The file of a recipe given by name or path.

    Raises:
        UserError: there is no such recipe.
    """
    for path in (Path(name), folder / f"{name}.yaml"):
        if path.is_file():
            return path
    known = ", ".join(sorted(path.stem for path in folder.glob("*.yaml")))
    raise UserError(f"{name}: no such recipe; recipes: {known}, or give a path")


def use(argv: Sequence[str]) -> int:
    """Check a recipe and copy it to params.yaml, whole or not at all."""
    parser = argparse.ArgumentParser(prog="prefloop use", description=use.__doc__)
    parser.add_argument("recipe", help="a name under recipes/ or a path")
    args = parser.parse_args(argv)
    try:
        path = find(args.recipe)
        checked = params.load(path)
    except UserError as error:
        print(f"use: {error}", file=sys.stderr)
        return 2
    with atomic(IN_PLACE) as temp:
        temp.write_bytes(path.read_bytes())
    print(f"{IN_PLACE} is now {path} ({len(checked.sources)} sources); run dvc repro")
    return 0


def check_recipe(argv: Sequence[str]) -> int:
    """Validate a recipe and resolve the graph it gives, without running a stage."""
    parser = argparse.ArgumentParser(prog="prefloop check-recipe", description=check_recipe.__doc__)
    parser.add_argument("recipe", help="a name under recipes/ or a path")
    args = parser.parse_args(argv)
    try:
        path = find(args.recipe)
        params.load(path)
        names = resolve(path)
    except UserError as error:
        print(f"check-recipe: {error}", file=sys.stderr)
        return 2
    print(f"{path}: valid, {len(names)} stages")
    return 0


def resolve(recipe: Path, graph: Path = Path("dvc.yaml")) -> list[str]:
    """Names of the stages that dvc.yaml gives under a recipe, cycles and clashes refused.

    Raises:
        UserError: the graph does not resolve under this recipe.
    """
    import shutil
    import tempfile

    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(graph, folder / "dvc.yaml")
        shutil.copy(recipe, folder / "params.yaml")
        (folder / ".dvc").mkdir()
        (folder / ".dvc" / "config").write_text("[core]\n    no_scm = true\n", "utf-8")
        try:
            with Repo(name) as repo:
                stages = [str(stage.name) for stage in repo.index.stages]
                _ = repo.index.graph
        except DvcException as error:
            reason = " ".join(str(error).split()).replace(f"{name}/", "")
            raise UserError(f"{recipe}: the graph does not resolve: {reason}") from error
    return stages
