"""No recipe's name or path reaches the shell of a stage's command as anything but a word."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from curation.core.errors import UserError
from pipelines.core import params
from pipelines.core.params.text import Recipe, read

ROOT = Path(__file__).resolve().parents[3]
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))["stages"]
HOSTILE = ["$(touch hit)", "x; touch hit", "x`touch hit`", "x|y", "x y", "-x", "x>y", "x\ny", "x'y"]
UNQUOTED = ["x'y", "x\ny", "x\x1by", "-x"]  # of a path that stands in single quotes


def asked() -> list[tuple[str, bool]]:
    """Dotted keys of params.yaml that commands hold, * for any item, and whether quoted."""
    found = set()
    for body in STAGES.values():
        over = body.get("foreach", "")
        if isinstance(over, list):
            continue  # the graph's own words
        section = over.strip("${}")
        for quote, name in re.findall(r"('?)\$\{([^}]+)\}", body.get("do", body)["cmd"]):
            if name == "key":
                dotted = f"{section}.*"
            else:
                dotted = name.replace("item", f"{section}.*", 1) if name[:4] == "item" else name
            found.add((dotted + (".key" if name == "key" else ""), bool(quote)))
    return sorted(found)


def poisoned(values: dict[str, Any], dotted: str, text: str) -> dict[str, Any]:
    """The recipe with a text in place of what a dotted key names."""
    whole = deepcopy(values)
    held: Any = whole
    *parts, last = dotted.removesuffix(".key").split(".")
    for part in parts:
        held = held[next(iter(held)) if part == "*" else part]
    if dotted.endswith(".key"):
        held[text] = held.pop(next(iter(held)))
    else:
        held[0 if last == "*" else last] = text
    return whole


def sample() -> dict[str, Any]:
    values = read(ROOT / "recipes/sample.yaml").values
    judge = {"kind": "function", "path": "data/sample/world.py", "function": "reward"}
    return {**values, "judges": {"one": judge}, "models": {"one": {"uri": "hf://org/rm"}}}


def refused(values: dict[str, Any]) -> bool:
    try:
        params.check(Recipe(values, ((Path("params.yaml"), values),)))
    except UserError as error:
        return "\n" not in str(error)
    return False


@pytest.mark.parametrize(("dotted", "quoted"), asked())
def test_a_hostile_name_or_path_is_refused_in_one_line(dotted: str, quoted: bool) -> None:
    values = sample()
    assert not refused(values)
    for text in UNQUOTED if quoted else HOSTILE:
        assert refused(poisoned(values, dotted, text)), text


def test_the_commands_hold_what_was_attacked() -> None:
    """The attacks above are of all that is there."""
    dotted = dict(asked())
    assert dotted["judges.*.path"]
    assert dotted["evaluation.oracle.file"]
    assert not dotted["sources.*.key"]
    assert "iterations.*.policy" in dotted


@pytest.fixture
def dvc(project: Path) -> Any:
    """`dvc repro` in a copy of the project; its exit code and what it said."""
    here = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, "PATH": here, "PYTHONPATH": ".", "DVC_NO_ANALYTICS": "1"}

    def run(values: dict[str, Any], *targets: str) -> tuple[int, str]:
        (project / "params.yaml").write_text(yaml.safe_dump(values, sort_keys=False), "utf-8")
        done = subprocess.run(
            ["dvc", "repro", *targets], cwd=project, env=env, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    "dotted", ["sources.*.key", "iterations.*.key", "judges.*.key", "models.*.key"]
)
def test_plain_dvc_repro_runs_nothing_of_a_strangers_recipe(
    project: Path, dvc: Any, dotted: str
) -> None:
    code, told = dvc(poisoned(sample(), dotted, "x$(touch hit)"))
    assert code != 0
    assert "params.yaml" in told
    assert not (project / "hit").exists()


@pytest.mark.slow
def test_a_path_with_spaces_and_shell_characters_is_a_path(project: Path, dvc: Any) -> None:
    path = "my judges/world $(touch hit); touch hit.py"
    (project / path).parent.mkdir()
    (project / path).write_text("def reward(prompt, response):\n    return 1.0\n", "utf-8")
    values = poisoned(sample(), "judges.*.path", path)
    code, told = dvc(values, "judge@one")
    assert code == 0, told
    assert (project / "data/checkpoints/reward_models/panel/one/pin.json").is_file()
    assert not (project / "hit").exists()
