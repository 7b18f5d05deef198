"""Every command that a page shows is run on a finished build, or its own parser takes it.

A block that needs a GPU, the Hub, a server or hours says so in a comment above it:
`<!-- not run: needs a server -->`. Its commands are parsed and not run.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
import pytest
import yaml

from pipelines import cli
from pipelines.commands.repro import environment
from pipelines.core import params
from pipelines.shared import command_list, parsers
from tests.conftest import IDENTITY, ROOT, copy_build
from tests.docs.blocks import Block, blocks, commands

SHELL = blocks(ROOT, "sh")
RECIPES = [one for one in blocks(ROOT, "yaml") if not one.says.startswith("not a recipe: ")]
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def build(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished and committed build of the small recipe, which the pages' commands may change."""
    made = copy_build(finished, tmp_path_factory.mktemp("docs"))
    for argv in (["add", "-A"], [*IDENTITY, "commit", "-qm", "build"]):
        subprocess.run(["git", *argv], cwd=made, check=True)
    return made


@pytest.fixture(scope="module")
def seen() -> set[tuple[str, ...]]:
    """What has been run: a command that two pages show is run once."""
    return set()


@pytest.fixture(scope="module")
def words(build: Path) -> dict[str, str]:
    """What a page's placeholders stand for in the build."""
    pairs = pl.read_parquet(build / "data/iterations/iter1/pairs.parquet").sort("pair_id")
    return {"PAIR_ID": pairs["pair_id"][0], "PROMPT_ID": pairs["prompt_id"][0]}


@pytest.mark.slow
@pytest.mark.parametrize(
    "block", [one for one in SHELL if not one.not_run], ids=lambda block: block.at
)
def test_a_pages_commands_run(
    block: Block,
    build: Path,
    words: dict[str, str],
    seen: set[tuple[str, ...]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(build)
    monkeypatch.setenv("PATH", f"{BIN}{os.pathsep}{os.environ['PATH']}")
    for argv in commands(block):
        filled = [_filled(word, words) for word in argv]
        if tuple(filled) in seen:
            continue
        seen.add(tuple(filled))
        assert _run(filled, build) == 0, f"{block.at}: {' '.join(filled)}"


def _filled(word: str, words: dict[str, str]) -> str:
    for name, value in words.items():
        word = word.replace(name, value)
    return word


def _run(argv: Sequence[str], build: Path) -> int:
    """prefloop in this process, which loads the libraries once; make's targets only looked up."""
    if argv[0] == "prefloop" and argv[1:2] != ["repro"]:
        return cli.main(argv[1:])
    if argv[0] == "make":
        _make(argv[1:])
        return 0
    name = [sys.executable, "-m", "pipelines.cli"] if argv[0] == "prefloop" else [argv[0]]
    if argv[0] == "python":
        name = [sys.executable]
    done = subprocess.run([*name, *argv[1:]], cwd=build, env=environment(), check=False)
    return done.returncode


@pytest.mark.parametrize("block", [one for one in SHELL if one.not_run], ids=lambda block: block.at)
def test_a_command_that_is_not_run_parses(block: Block) -> None:
    assert commands(block), f"{block.at}: no command"
    for argv in commands(block):
        assert argv[0] in PARSE, f"{block.at}: no test knows how to parse {argv[0]}"
        PARSE[argv[0]](argv[1:])


def _prefloop(argv: Sequence[str]) -> None:
    command = command_list.find(argv[0])
    assert command is not None, f"prefloop {argv[0]}: no such command"
    parsers.parses(command.module, argv[1:])


def _dvc(argv: Sequence[str]) -> None:
    from dvc.cli import parse_args

    parse_args(list(argv))


def _make(argv: Sequence[str]) -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert {word for word in argv if "=" not in word} <= targets, f"make {' '.join(argv)}"


def _extra(argv: Sequence[str]) -> None:
    """`pip install 'prefloop[EXTRA]'` names an extra of pyproject.toml."""
    import tomllib

    known = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = re.findall(r"prefloop\[(\w+)\]", " ".join(argv))
    assert named
    assert set(named) <= set(known["optional-dependencies"])


def _python(argv: Sequence[str]) -> None:
    assert argv[0] == "-m"
    if argv[1] != "pytest":
        parsers.parses(argv[1], argv[2:])


def _other(argv: Sequence[str]) -> None:
    """Another program's command: its words are not ours to check."""
    assert argv


PARSE: dict[str, Callable[[Sequence[str]], None]] = {
    "prefloop": _prefloop,
    "dvc": _dvc,
    "make": _make,
    "pip": _extra,
    "python": _python,
    "git": _other,
    "vllm": _other,
    "export": _other,
    ".": _other,
    "cd": _other,
    ".ci/run": _other,
}


@pytest.mark.parametrize("block", RECIPES, ids=lambda block: block.at)
def test_a_pages_recipe_is_valid(block: Block, tmp_path: Path) -> None:
    whole = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(_merged(whole, yaml.safe_load(block.text)), sort_keys=False))
    params.load(path)


def _merged(whole: dict[str, object], part: dict[str, object]) -> dict[str, object]:
    """A recipe with a part of one put over it, section by section."""
    both = dict(whole)
    for key, value in part.items():
        old = both.get(key)
        deep = isinstance(old, dict) and isinstance(value, dict) and key not in ("base", "judges")
        both[key] = _merged(old, value) if deep else value  # type: ignore[arg-type]
    return both
