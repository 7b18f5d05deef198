"""Tables of another git revision, brought from DVC's cache or remote into a scratch folder."""

from __future__ import annotations

import subprocess
from fnmatch import fnmatch
from pathlib import Path

import yaml

from curation.core.errors import UserError


def fetch(revision: str, data: Path, pattern: str, scratch: Path) -> list[Path]:
    """Copy the files of a revision that fit a pattern under the build's folder into `scratch`.

    Raises:
        UserError: git does not know the revision, its dvc.lock lacks such a file, or the file is
            neither in DVC's cache nor in its remote.
    """
    lock = show(revision, "dvc.lock")
    wanted = [out for out in _outs(lock) if fnmatch(out, f"{data.as_posix()}/{pattern}")]
    if not wanted:
        raise UserError(f"{revision}: its dvc.lock has no {data}/{pattern}; run dvc repro there")
    return [_copy(revision, out, scratch) for out in sorted(wanted)]


def show(revision: str, file: str) -> str:
    """The text of a file of a git revision.

    Raises:
        UserError: git does not know the revision, or it lacks the file.
    """
    if revision.startswith("-"):
        raise UserError(f"{revision}: not a git revision, a folder or a file")
    command = ["git", "show", "--end-of-options", f"{revision}:{file}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserError(
            f"{revision}: neither a file, a folder nor a git revision with a {file} "
            f"({done.stderr.strip().splitlines()[0]})"
        )
    return done.stdout


def _outs(lock: str) -> list[str]:
    stages = (yaml.safe_load(lock) or {}).get("stages", {})
    return [out["path"] for stage in stages.values() for out in stage.get("outs", ())]


def _copy(revision: str, out: str, scratch: Path) -> Path:
    """Copy one output through DVC, which knows its caches and remotes."""
    from dvc.api import DVCFileSystem  # takes a second to import: only when a revision is named
    from dvc.exceptions import DvcException

    target = scratch / out
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        files = DVCFileSystem(".", rev=revision)
        if files.isdir(out):
            files.get(out, str(target), recursive=True)
        else:
            files.get_file(out, str(target))
    except (DvcException, OSError) as error:
        raise UserError(
            f"{revision}: {out} is neither in DVC's cache nor in a remote; "
            f"check that revision out and run dvc repro ({type(error).__name__})"
        ) from error
    return target
