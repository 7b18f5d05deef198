"""What code a module runs, read from its imports, and a hash of that code."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("pipelines", "curation", "training")
ROOT = Path(__file__).resolve().parents[2]
_LIBRARIES = ("torch", "transformers", "trl", "peft", "tokenizers")


def sha(module: str) -> str:
    """Hash (24 hex digits) of the code a module imports and of the versions of model libraries.

    Work that one code has left half done is never taken over by another.
    """
    digest = hashlib.sha256("\n".join(map(version, _LIBRARIES)).encode())
    for name in code_of(module, ROOT):
        digest.update(hashlib.sha256((ROOT / name).read_bytes()).digest())
    return digest.hexdigest()[:24]


def code_of(module: str, root: Path) -> list[str]:
    """Paths, relative to root, of every project file with code that a module imports, in any way.

    An ``__init__.py`` of nothing but its docstring is left out: it can change no result.

    Raises:
        ValueError: there is no such module of the project, so that nothing would be hashed.
    """
    if _path(module, root) is None:
        raise ValueError(f"{module}: no module of this project")
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
    return sorted(path.relative_to(root).as_posix() for path in seen.values() if not bare(path))


def bare(path: Path) -> bool:
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
