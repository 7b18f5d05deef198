"""A page, comment, docstring or message names no file of the project that is not there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.conftest import ROOT

_TOP = "pipelines|curation|training|recipes|docs|tests|benchmarks"
_PATH = re.compile(rf"(?<![\w./-])(?:{_TOP})/[\w./-]*\.(?:py|sql|yaml|md|j2|svg|webp|css|js)\b")
_SUFFIXES = {".py", ".md", ".sql", ".yaml", ".toml", ".lock", ".j2", ".cff", ""}
# Names that a page gives as examples, and what a benchmark writes on a machine with a GPU.
_MADE = re.compile(r"\b(?:NAME|FOLDER|ITER)\b|benchmarks/results/dpo_gpu\.md")


def test_every_path_that_a_file_names_is_there() -> None:
    gone = {
        f"{name}: {path}"
        for name in _files()
        for path in _PATH.findall((ROOT / name).read_text("utf-8"))
        if not (ROOT / path).exists() and not _MADE.search(path)
    }
    assert not gone, "\n".join(sorted(gone))


def _files() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    wanted = [name for name in listed if Path(name).suffix in _SUFFIXES]
    return [name for name in wanted if not name.startswith("tests/") and (ROOT / name).is_file()]
