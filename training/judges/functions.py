"""Python functions that params.yaml names: in a file, or by dotted name."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from curation.core.errors import UserError

Function = Callable[..., Any]


def from_file(path: Path, name: str, key: str) -> Function:
    """A function of a Python file; the file is run.

    Args:
        key: where params.yaml names it, for the error.

    Raises:
        UserError: the file can't be run or has no such function.
    """
    if not path.is_file() or path.suffix != ".py":
        raise UserError(f"{path}: not a Python file; correct {key}")
    module_name = f"prefloop_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up by name
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever a user's file raises
        raise UserError(f"{path}: {type(error).__name__}: {error}; correct the file") from error
    return _named(vars(module), name, str(path), key)


def dotted(name: str, key: str) -> Function:
    """A function by dotted name, such as training.judges.exact_answer.reward.

    Raises:
        UserError: no such module, or no such function in it.
    """
    module_name, _, function = name.rpartition(".")
    try:
        module = importlib.import_module(module_name) if module_name else None
    except ImportError as error:
        raise UserError(f"{key}: {name}: {error}; give module.function") from error
    if module is None:
        raise UserError(f"{key}: {name}: give module.function, or a file's function with path")
    return _named(vars(module), function, module_name, key)


def source_sha(function: Function) -> str:
    """Hash (24 hex digits) of the file a function is defined in."""
    file = inspect.getsourcefile(function)
    assert file is not None, "a Python function has a file"
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()[:24]


def _named(names: dict[str, Any], name: str, where: str, key: str) -> Function:
    found: Function | None = names.get(name)
    if not inspect.isfunction(found):
        raise UserError(f"{where}: has no function named {name} ({key})")
    return found
