"""What one Python file of the project names: modules, and packages whose data files it may read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_HIDDEN = ("__file__", "__package__", "__path__")


@dataclass(frozen=True)
class Names:
    """The names in one file.

    Attributes:
        imported: dotted names it imports anywhere, functions and TYPE_CHECKING blocks included.
        told: strings of its own that may be a module's or a package's dotted name.
        bare: whether it is an ``__init__.py`` without a statement, which can change no result.
    """

    imported: tuple[str, ...]
    told: tuple[str, ...]
    bare: bool


def names_in(module: str, path: Path) -> Names:
    """Read a file's names.

    Raises:
        ValueError: it finds files by ``__file__`` or the like, which can't be followed.
    """
    tree = ast.parse(path.read_bytes(), path)
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    imported: list[str] = []
    told: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            imported += _from(node, package)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            told += [node.value] if node.value.replace(".", "a").isidentifier() else []
        elif isinstance(node, ast.Name) and node.id in _HIDDEN:
            raise ValueError(
                f"{path}:{node.lineno}: {node.id}: a file found that way is in no stage's hash; "
                'read it by importlib.resources.files("its.package")'
            )
    return Names(tuple(imported), tuple(told), path.name == "__init__.py" and _bare(tree))


def _from(node: ast.ImportFrom, package: str) -> Iterator[str]:
    base = node.module or ""
    if node.level:
        up = package.split(".")[: len(package.split(".")) - node.level + 1]
        base = ".".join([*up, *([base] if base else [])])
    yield base
    yield from (f"{base}.{alias.name}" for alias in node.names)


def _bare(tree: ast.Module) -> bool:
    return all(
        isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant) for one in tree.body
    )
