"""Files of installed packages."""

from __future__ import annotations

import importlib.util
from pathlib import Path


class NotInstalledError(Exception):
    """A package that ships what is asked for is not installed; the message names it."""


def shipped(package: str, *path: str) -> Path:
    """A file of an installed package.

    Raises:
        NotInstalledError: there is no such package.
    """
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise NotInstalledError(
            f"the package {package} is not installed (requirements-test.lock has it)"
        )
    return Path(found.origin).parent.joinpath(*path)
