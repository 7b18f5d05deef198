"""Shared fixtures: the repository's root and a copy of the project that a test may run in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import settings

# A busy machine is no failure: no example is judged by its time.
settings.register_profile("prefloop", deadline=None)
settings.load_profile("prefloop")

# Workers share the cores: a tiny model's step on two threads costs up to three times the CPU of
# one thread, and is no faster beside another worker.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).resolve().parent.parent
IDENTITY = ("-c", "user.name=test", "-c", "user.email=test@example.invalid")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files with slow tests first: none of them is left for one worker at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root."""
    return ROOT


def copy_project(target: Path) -> Path:
    """Copy the files git tracks or would track and make the copy a git checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    for name in filter(None, listed):
        source = ROOT / name
        if source.is_file() and name != "dvc.lock":
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target / name)
    for command in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *command], cwd=target, check=True)
    subprocess.run(["git", *IDENTITY, "commit", "-qm", "copy"], cwd=target, check=True)
    return target


@pytest.fixture(scope="session", autouse=True)
def plain_pass_here() -> Iterator[None]:
    """A trained reward model is read back by plain transformers in this process: 4 s of CPU less.

    It is the function that the process of its own runs; `test_replay.py` tests that process.
    """
    from training.judges import plain

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            plain, "apart", lambda path, ids, n=None: plain.scores(path, ids, plain.SIDES, n)
        )
        yield


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random Llama with its tokenizer."""
    from tests import models  # loads the model libraries, which most tests do without

    return models.write_base(tmp_path_factory.mktemp("models") / "base")


@pytest.fixture(scope="session")
def tokenizer(base: Path) -> Any:
    """The tiny model's tokenizer."""
    from training.core import checkpoint

    return checkpoint.load_tokenizer(base)


@pytest.fixture(scope="session")
def template(tokenizer: Any) -> Any:
    """The tiny model's chat template."""
    from training.core.chat_template import ChatTemplate

    return ChatTemplate(tokenizer)


@pytest.fixture(scope="session")
def reward_model(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny reward model that likes answers which say woof."""
    from tests import models

    return models.write_reward_model(tmp_path_factory.mktemp("models") / "reward_model", base)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A finished build of the reduced recipe, made once for all workers: copy it, never change it.

    The first worker that asks builds it; the others wait for the lock. PREFLOOP_FINISHED names one
    that is there already.
    """
    if given := os.environ.get("PREFLOOP_FINISHED"):
        return Path(given).resolve()
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    target = shared / "finished"
    with FileLock(str(shared / "finished.lock")):
        if not (target / ".done").exists():
            _build(target)
    return target


def _build(target: Path) -> None:
    target.mkdir()
    copy_project(target)
    for command in (["use", "ci"], ["repro", "--quiet"]):
        done = subprocess.run(
            [sys.executable, "-m", "pipelines.cli", *command],
            cwd=target,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    (target / ".done").touch()


def copy_build(finished: Path, target: Path) -> Path:
    """A copy of a finished build that a test may change; times of files are kept."""
    left = shutil.ignore_patterns(".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache")
    shutil.copytree(finished, target, dirs_exist_ok=True, symlinks=True, ignore=left)
    return target


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A fresh copy of the project without any output."""
    return copy_project(tmp_path)
