"""What code a module runs, read from its imports, and a hash of that code.

Code is every module of the project that a file imports anywhere or names by a string of its own
(``import_module("training.judges.panel")``), and the data files of every package that it names so
(``files("curation.gates")``): SQL, templates, style sheets. What is found in another way would
change unseen, so a module that uses ``__file__`` has no hash: it is an error.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from importlib import resources
from pathlib import Path

from pipelines.core.imports import Names, names_in

PACKAGES = ("pipelines", "curation", "training")
ROOT = Path(str(resources.files("pipelines"))).parent
_NO_DATA = (".py", ".pyc", ".tmp")
_LIBRARIES = ("torch", "transformers", "trl", "peft", "tokenizers")

Only = Mapping[str, Iterable[str]]
"""Package -> the folders of its data that are read; all of a package that is not here."""


def sha(module: str) -> str:
    """Hash (24 hex digits) of a module's code and of the versions of model libraries.

    Work that one code has left half done is never taken over by another.
    """
    digest = hashlib.sha256(f"{_versions()}\n{_own(module)}".encode())
    return digest.hexdigest()[:24]


@cache
def _own(module: str) -> str:
    return Code(ROOT).sha(module)


@cache
def _versions() -> str:
    from importlib.metadata import version

    return "\n".join(map(version, _LIBRARIES))


class Code:
    """The project's code as it is on disk; each file is read once.

    Args:
        root: the folder that the packages are in.
        packages: the top-level packages that are the project's.
    """

    def __init__(self, root: Path, packages: Sequence[str] = PACKAGES) -> None:
        self.root = root
        self.packages = packages
        self._names: dict[str, Names] = {}
        self._shas: dict[str, str] = {}

    def sha(self, module: str, only: Only | None = None) -> str:
        """Hash (24 hex digits) of the paths and contents of the files that decide what it does."""
        digest = hashlib.sha256()
        for name in self.files(module, only):
            if name not in self._shas:
                self._shas[name] = hashlib.sha256((self.root / name).read_bytes()).hexdigest()
            digest.update(f"{name} {self._shas[name]}\n".encode())
        return digest.hexdigest()[:24]

    def files(self, module: str, only: Only | None = None) -> list[str]:
        """Paths, relative to root, of every file that decides what a module does.

        An ``__init__.py`` of nothing but its docstring is left out: it can change no result.

        Raises:
            ValueError: there is no such module of the project, so that nothing would be hashed, or
                a file is found in a way that can't be followed.
        """
        if self._path(module) is None:
            raise ValueError(f"{module}: no module of this project")
        modules = self._reached(module)
        told = {name for found in modules for name in self._names[found].told}
        found = {path for name, path in modules.items() if not self._names[name].bare}
        for package in told & self._data.keys():
            found |= self._read_of(package, (only or {}).get(package, ("",)))
        return sorted(path.relative_to(self.root).as_posix() for path in found)

    def _reached(self, module: str) -> dict[str, Path]:
        seen: dict[str, Path] = {}
        waiting = [module]
        while waiting:
            name = waiting.pop()
            path = self._path(name)
            if path is None or name in seen:
                continue
            seen[name] = path
            if name not in self._names:
                self._names[name] = names_in(name, path)
            waiting += [*_parents(name), *self._names[name].imported, *self._names[name].told]
        return seen

    def _read_of(self, package: str, folders: Iterable[str]) -> set[Path]:
        """The data files in these folders of a package; a folder without one is an error."""
        found: set[Path] = set()
        for name in folders:
            folder = self._folder(package) / name
            inside = {path for path in self._data[package] if path.is_relative_to(folder)}
            if not inside:
                raise ValueError(f"{folder}: no file in it that a stage could read")
            found |= inside
        return found

    def _path(self, name: str) -> Path | None:
        if name.partition(".")[0] not in self.packages:
            return None
        stem = self._folder(name)
        for path in (stem.with_suffix(".py"), stem / "__init__.py"):
            if path.is_file():
                return path
        return None

    def _folder(self, package: str) -> Path:
        return self.root.joinpath(*package.split("."))

    @cached_property
    def _data(self) -> dict[str, list[Path]]:
        """Package -> its files that are no Python, also those in folders without a module."""
        found: dict[str, list[Path]] = {}
        for top in self.packages:
            for path in (self.root / top).rglob("*"):
                if path.suffix in _NO_DATA or path.name.startswith(".") or not path.is_file():
                    continue
                folder = path.parent
                while folder != self.root and not (folder / "__init__.py").is_file():
                    folder = folder.parent
                name = ".".join(folder.relative_to(self.root).parts)
                found.setdefault(name, []).append(path)
        return found


def _parents(name: str) -> Iterator[str]:
    parts = name.split(".")
    for end in range(1, len(parts)):
        yield ".".join(parts[:end])
