"""The graph's code dependencies, read from imports: what a stage runs is what it depends on.

DVC does not track imports, so dvc.yaml lists each stage's modules. `prefloop deps` rewrites those
lists; a test fails when one is missing.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pipelines.core.code import PACKAGES, bare, code_of

_MODULE = re.compile(r"python -m (pipelines(?:\.\w+)+)")


def stage_module(cmd: str) -> str:
    """The module a stage's command runs, such as pipelines.stages.mix.

    Raises:
        ValueError: the command is not `python -m pipelines.stages.NAME`.
    """
    found = _MODULE.search(cmd)
    if found is None:
        raise ValueError(f"not a stage command: {cmd}")
    return found.group(1)


def dependencies_of(module: str, root: Path) -> list[str]:
    """What a stage lists: its files, or a folder in their place where it needs all of the folder.

    DVC rewrites the whole of dvc.lock after every stage, so fewer lines are less waiting; a folder
    stands in only when each of its files is imported, which keeps the graph as exact as it was.
    """
    code = set(code_of(module, root))
    left, chosen = set(code), set()
    for folder in _folders(root):
        inside = {path.relative_to(root).as_posix() for path in _sources(folder)}
        if inside and inside <= code and inside & left:
            chosen.add(folder.relative_to(root).as_posix())
            left -= inside
    return sorted(left | chosen)


def _folders(root: Path) -> list[Path]:
    """Folders below the packages that hold Python files alone, the outermost first."""
    found = {path.parent for package in PACKAGES for path in (root / package).rglob("*.py")}
    inner = [folder for folder in found if folder.parent != root]
    pure = [folder for folder in inner if all(_is_source(path) for path in _files(folder))]
    return sorted(pure, key=lambda folder: len(folder.parts))


def _files(folder: Path) -> list[Path]:
    kept = (path for path in folder.rglob("*") if "__pycache__" not in path.parts)
    return [path for path in kept if path.is_file()]


def _is_source(path: Path) -> bool:
    return path.suffix == ".py"


def _sources(folder: Path) -> list[Path]:
    return [path for path in _files(folder) if _is_source(path) and not bare(path)]


def stages(config: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Each stage's own mapping of dvc.yaml, below `do` where it is a foreach."""
    return {name: body.get("do", body) for name, body in config["stages"].items()}


def is_code(dep: str, root: Path) -> bool:
    """Whether a dependency is one of the project's Python files, or a folder of nothing else."""
    if dep.partition("/")[0] not in PACKAGES:
        return False
    files = _files(root / dep)
    return dep.endswith(".py") or (bool(files) and all(map(_is_source, files)))


def rewrite(path: Path) -> list[str]:
    """Rewrite the code dependencies of every stage of dvc.yaml; returns the stages changed."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 100
    yaml.indent(mapping=2, sequence=4, offset=2)
    config = yaml.load(path.read_text("utf-8"))
    changed = []
    for name, body in stages(config).items():
        wanted = _wanted(body, path.parent)
        if wanted != list(body["deps"]):
            body["deps"] = wanted
            changed.append(name)
    if changed:
        with path.open("w", encoding="utf-8") as handle:
            yaml.dump(config, handle)
    return changed


def _wanted(body: dict[str, Any], root: Path) -> list[str]:
    """A stage's own dependencies, then its code that no folder among them holds already."""
    own = [dep for dep in body["deps"] if not is_code(dep, root)]
    code = dependencies_of(stage_module(body["cmd"]), root)
    return own + [dep for dep in code if not any(dep.startswith(f"{folder}/") for folder in own)]
