"""Recipes: where one is, and the stages that it gives."""

from __future__ import annotations

from pathlib import Path

from curation.core.errors import UserError

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
