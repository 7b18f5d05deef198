"""Recipes: where one is, what is wrong with it, and the stages that it gives."""

from __future__ import annotations

from pathlib import Path

from curation.core.errors import UserError
from curation.core.words import meant
from pipelines.core import params
from pipelines.core.params import Params
from pipelines.core.params.text import FOLDER, IN_PLACE, Recipe, read
from pipelines.shared import recipe_files, recipe_text

__all__ = ["IN_PLACE", "checked", "find", "resolve", "whole"]


def find(name: str, folder: Path = FOLDER) -> Path:
    """The file of a recipe given by name or path.

    Raises:
        UserError: there is no such recipe.
    """
    for path in (Path(name), folder / f"{name}.yaml", folder / name / "recipe.yaml"):
        if path.is_file():
            return path
    known = [path.stem for path in folder.glob("*.yaml")]
    known += [path.parent.name for path in folder.glob("*/recipe.yaml")]
    near = meant(name, known)
    raise UserError(f"{name}: no such recipe; {near.replace('known', 'recipes')}, or give a path")


def checked(path: Path) -> tuple[Recipe, Params]:
    """A recipe that is checked whole, the files that it names included.

    Raises:
        UserError: the first thing that is wrong, with its file and key.
    """
    recipe = read(path)
    found = params.check(recipe)
    recipe_files.check(recipe, found)
    return recipe, found


def whole(path: Path) -> str:
    """A recipe as the text of a params.yaml: all of it, each knob with its sentence.

    Raises:
        UserError: the recipe is wrong.
    """
    recipe = read(path)
    params.check(recipe)
    return recipe_text.text(recipe)


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
        (folder / "params.yaml").write_text(whole(recipe), "utf-8")
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
