"""The graph's code dependencies, read from imports: what a stage runs is what it depends on.

DVC does not track imports, so dvc.yaml lists each stage's modules. `prefloop deps` rewrites those
lists; a test fails when one is missing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PACKAGES = ("pipelines", "curation", "training")
_MODULE = re.compile(r"python -m (pipelines\.\w+)")


def stage_module(cmd: str) -> str:
    """The module a stage's command runs, such as pipelines.mix.

    Raises:
        ValueError: the command is not `python -m pipelines.NAME`.
    """
    found = _MODULE.search(cmd)
    if found is None:
        raise ValueError(f"not a stage command: {cmd}")
    return found.group(1)


def code_of(module: str, root: Path) -> list[str]:
    """Paths, relative to root, of every project file with code that a module imports, in any way.

    An ``__init__.py`` of nothing but its docstring is left out: it can change no result.
    """
    seen: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = _path(name, root)
        if path is None or name in seen:
            continue
        seen[name] = path
        waiting.extend(_parents(name))
        waiting.extend(_imports(name, path))
    return sorted(path.relative_to(root).as_posix() for path in seen.values() if not _bare(path))


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
    return [path for path in _files(folder) if _is_source(path) and not _bare(path)]


def _bare(path: Path) -> bool:
    """Whether a file is a package's ``__init__.py`` without a statement."""
    if path.name != "__init__.py":
        return False
    body = ast.parse(path.read_text("utf-8")).body
    return all(isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant) for one in body)


def _parents(name: str) -> Iterator[str]:
    parts = name.split(".")
    for end in range(1, len(parts)):
        yield ".".join(parts[:end])


def _path(name: str, root: Path) -> Path | None:
    if name.partition(".")[0] not in PACKAGES:
        return None
    stem = root.joinpath(*name.split("."))
    for path in (stem.with_suffix(".py"), stem / "__init__.py"):
        if path.is_file():
            return path
    return None


def _imports(name: str, path: Path) -> Iterator[str]:
    """Names a file imports anywhere, functions and TYPE_CHECKING blocks included."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                up = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*up, *([base] if base else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


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
