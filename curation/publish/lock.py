"""dvc.lock: which stage made a file, from what, with which parameters."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from curation.core.errors import UserError

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CHUNK = 1 << 20
CODE = "data/code.json"  # what the stage `code` writes and every other stage names


@dataclass(frozen=True)
class Lock:
    """dvc.lock as plain dicts by stage name; every path is relative to its folder."""

    path: Path
    stages: dict[str, dict[str, Any]]

    def stage_of(self, out: str) -> str:
        """The stage that writes this path.

        Raises:
            UserError: no stage of the lock does.
        """
        for name, stage in self.stages.items():
            if any(_within(out, one["path"]) for one in stage.get("outs", [])):
                return name
        raise UserError(f"{self.path}: no stage made {out}; run dvc repro, then publish")

    def upstream(self, outs: list[str]) -> list[str]:
        """The stages that these paths were made by, directly or not, in the lock's order."""
        found: set[str] = set()
        waiting = [self.stage_of(out) for out in outs]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting.extend(self._parents(name))
        return [name for name in self.stages if name in found]

    def params(self, names: list[str]) -> dict[str, Any]:
        """Dotted key -> value of every parameter of params.yaml these stages ran with."""
        found: dict[str, Any] = {}
        for name in names:
            found |= self.stages[name].get("params", {}).get("params.yaml", {})
        return dict(sorted(found.items()))

    def code(self, names: list[str]) -> list[dict[str, str]]:
        """The hash of the code that each of these stages ran, under its key in data/code.json."""
        found: dict[str, str] = {}
        for name in names:
            found |= self.stages[name].get("params", {}).get(CODE, {})
        return [{"stage": key, "code": found[key]} for key in sorted(found)]

    def verify(self, out: str) -> None:
        """Check that a file or folder on disk is the one its stage recorded.

        Raises:
            UserError: it is missing or has changed since.
        """
        stage = self.stage_of(out)
        recorded = {one["path"]: one for one in self.stages[stage]["outs"]}.get(out)
        path = self.path.parent / out
        if recorded is None or not path.exists():
            raise UserError(f"{path}: {stage} has no such output on disk; run dvc repro {stage}")
        if md5(path) != recorded["md5"]:
            raise UserError(
                f"{path}: changed since {stage} wrote it; run dvc repro, "
                "or dvc checkout to take the recorded one"
            )

    def _parents(self, name: str) -> list[str]:
        deps = [one["path"] for one in self.stages[name].get("deps", [])]
        return [
            other
            for other, stage in self.stages.items()
            for out in stage.get("outs", [])
            if any(_within(out["path"], dep) or _within(dep, out["path"]) for dep in deps)
        ]


def load(path: Path) -> Lock:
    """Read dvc.lock.

    Raises:
        UserError: it is missing or is not a lock file.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file; run dvc repro first: the card is written from it")
    try:
        value = yaml.load(path.read_text("utf-8"), Loader=_LOADER)
        stages = dict(value["stages"])
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise UserError(f"{path}: not a lock file of DVC; run dvc repro") from error
    return Lock(path, stages)


def check_params(lock: Lock, names: list[str], file: Path) -> None:
    """Check that params.yaml still says what these stages ran with.

    Raises:
        UserError: a value differs: the card would state parameters that made nothing.
    """
    for key in unlike(lock, names, yaml.load(file.read_text("utf-8"), Loader=_LOADER)):
        raise UserError(f"{file}: {key} is not what the build was made with; run dvc repro first")


def unlike(lock: Lock, names: list[str], now: Any) -> Iterator[str]:
    """The dotted keys of the parameters of these stages that have another value now."""
    for key, built in lock.params(names).items():
        value = now
        for part in key.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if _plain(value) != _plain(built):
            yield key


def _plain(value: Any) -> Any:
    """Numbers that DVC wrote as text (5e-05) are numbers again."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def md5(path: Path, ignored: Callable[[Path], bool] = lambda _: False) -> str:
    """DVC's hash of a file, or of a folder (the hash of its sorted list of files)."""
    if path.is_file():
        return _md5_file(path)
    files = [file for file in path.rglob("*") if file.is_file() and not ignored(file)]
    listed = [
        {"md5": _md5_file(file), "relpath": file.relative_to(path).as_posix()} for file in files
    ]
    listed.sort(key=lambda one: one["relpath"])
    text = json.dumps(listed, sort_keys=True)
    return f"{hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()}.dir"


def _md5_file(path: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as handle:
        while block := handle.read(_CHUNK):
            digest.update(block)
    return digest.hexdigest()
