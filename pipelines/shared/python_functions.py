"""Python functions that a recipe names, found by reading their file, not by running it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from importlib.machinery import PathFinder
from pathlib import Path

from curation.core.words import meant

Function = ast.FunctionDef | ast.AsyncFunctionDef


def problem(path: Path, name: str, arguments: int) -> str | None:
    """Why a file has no function of this name that takes so many arguments; None if it has one."""
    try:
        tree = ast.parse(path.read_text("utf-8"))
    except OSError as error:
        return f"no file {path}: {error.strerror}"
    except (SyntaxError, ValueError) as error:
        return f"{path} is not Python: {error}"
    functions, others = _names(tree)
    if name in functions:
        return None if _takes(functions[name], arguments) else _miscalled(name, path, arguments)
    if name in others:  # imported or assigned: only running the file could tell what it is
        return None
    return f"{path} has no function {name}; {meant(name, functions)}"


def file_of(dotted: str) -> Path | None:
    """The file of a dotted module, looked up without importing any package on the way."""
    paths: list[str] | None = [str(Path.cwd()), *sys.path]
    parts = dotted.split(".")
    for end in range(1, len(parts) + 1):
        spec = PathFinder.find_spec(".".join(parts[:end]), paths)
        if spec is None:
            return None
        found, paths = spec.origin, list(spec.submodule_search_locations or ())
    return Path(found) if found and found.endswith(".py") else None


def _names(tree: ast.Module) -> tuple[dict[str, Function], set[str]]:
    """Functions of a module by name, and every other name that it binds."""
    functions: dict[str, Function] = {}
    others: set[str] = set()
    for node in _statements(tree.body):
        if isinstance(node, Function):
            functions[node.name] = node
        elif isinstance(node, ast.Import | ast.ImportFrom):
            others |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Assign):
            others |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return functions, others


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module, those inside its ifs and tries included."""
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try | ast.With):
            for part in ("body", "orelse", "finalbody"):
                yield from _statements(getattr(node, part, []))
            for handler in getattr(node, "handlers", []):
                yield from _statements(handler.body)


def _takes(function: Function, count: int) -> bool:
    given = function.args
    positional = len(given.posonlyargs) + len(given.args)
    required = positional - len(given.defaults)
    keywords = any(default is None for default in given.kw_defaults)
    return not keywords and required <= count and (given.vararg is not None or count <= positional)


def _miscalled(name: str, path: Path, arguments: int) -> str:
    called = ", ".join(("prompt", "response", "answer")[:arguments])
    return f"{name} of {path} cannot be called with ({called})"
