"""A project: the folder of a graph and its recipe. Where one is, and how a new one is made.

In a checkout the code lies beside the graph. A project that `prefloop init` has made holds no code;
its graph depends on `installed.json`, which names the version that is installed and its hash.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from curation.core.errors import UserError
from pipelines.core.code import PACKAGES, ROOT
from pipelines.core.outputs import atomic

GRAPH = Path("dvc.yaml")
INSTALLED = Path("installed.json")
COPIED = (
    "dvc.yaml", "params.schema.json", "recipes", "data/sample", "data/checkable",
    "data/reviews/README.md", ".dvcignore", ".gitignore", ".dvc/config", ".dvc/plots",
)  # fmt: skip
"""What a new project is copied from: of the wheel, or of the checkout that is installed."""

_CODE = "".join(f"      - {name}\n" for name in PACKAGES)


def released() -> str:
    """The version that is installed; of a checkout that is not, "checkout"."""
    try:
        return version("prefloop")
    except PackageNotFoundError:
        return "checkout"


def root(start: Path) -> Path | None:
    """The nearest folder, from here upwards, with a graph and a recipe in place; None without."""
    for folder in (start, *start.parents):
        if (folder / GRAPH).is_file() and (folder / "params.yaml").is_file():
            return folder
    return None


def template() -> Path:
    """The folder that holds what is `COPIED`."""
    packed = ROOT / "prefloop" / "project"
    return packed if packed.is_dir() else ROOT


def stamp(folder: Path) -> bool:
    """Write what is installed into a project without code of its own; whether that has changed."""
    path = folder / INSTALLED
    if not path.is_file():
        return False
    text = json.dumps({"code": _code(), "version": released()}, indent=1, sort_keys=True) + "\n"
    if path.read_text("utf-8") == text:
        return False
    with atomic(path) as temp:
        temp.write_text(text, "utf-8")
    return True


def _code() -> str:
    """Hash (24 hex digits) of every file of the packages."""
    digest = hashlib.sha256()
    for top in PACKAGES:
        for path in sorted((ROOT / top).rglob("*")):
            if path.is_file() and path.suffix != ".pyc" and not path.name.startswith("."):
                digest.update(f"{path.relative_to(ROOT)} ".encode() + path.read_bytes())
    return digest.hexdigest()[:24]


def create(folder: Path) -> None:
    """Copy the graph and all that it reads into a new folder, with git and DVC set up.

    Raises:
        UserError: the folder holds something, or git or DVC is missing or refuses.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder}: not empty; name a new folder")
    programs = {name: program(name) for name in ("git", "dvc")}
    folder.mkdir(parents=True, exist_ok=True)
    _set_up(folder, programs)
    for name in COPIED:
        _copy(template() / name, folder / name)
    graph = folder / GRAPH
    graph.write_text(graph.read_text("utf-8").replace(_CODE, f"      - {INSTALLED}\n"), "utf-8")
    (folder / INSTALLED).touch()
    stamp(folder)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
        shutil.copytree(source, target, ignore=ignored, dirs_exist_ok=True)
    else:
        shutil.copyfile(source, target)


def _set_up(folder: Path, programs: Mapping[str, str]) -> None:
    inside = _run(folder, programs["git"], "rev-parse", "--show-toplevel")
    if inside.returncode:
        _must(folder, programs["git"], "init", "--quiet", "--initial-branch", "main")
    further = [] if inside.returncode else ["--subdir"]
    _must(folder, programs["dvc"], "init", "--quiet", *further)


def _must(folder: Path, *command: str) -> None:
    done = _run(folder, *command)
    if done.returncode:
        reason = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()[-1]
        raise UserError(f"{Path(command[0]).name} {command[1]}: {reason}")


def _run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "DVC_NO_ANALYTICS": "1"}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def program(name: str) -> str:
    """The path of git or DVC, this interpreter's own first.

    Raises:
        UserError: it is not there.
    """
    beside = str(Path(sys.executable).parent)
    found = shutil.which(name, path=f"{beside}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        how = {"dvc": f"{sys.executable} -m pip install dvc", "git": "see https://git-scm.com"}
        raise UserError(f"{name} is not installed, or not on PATH: {how.get(name, 'install it')}")
    return found


def from_root(argv: Sequence[str], here: Path, folder: Path) -> list[str]:
    """Arguments given in a subfolder as the project's root has them.

    What exists here, and what is to be written, keeps its place; all else is left as it is.
    """
    if here == folder:
        return list(argv)
    made = []
    for before, word in zip(["", *argv], argv, strict=False):
        path = here / word
        moves = not word.startswith("-") and (path.exists() or before in ("--out", "--export"))
        made.append(str(path) if moves else word)
    return made
