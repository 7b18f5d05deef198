"""DVC runs exactly the stages whose code an edit changes: the real stage in a small real graph."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from pipelines.core.params.text import read
from pipelines.stages import code

STRATEGIES = "curation/pairing/strategies.py"  # of pair
ITEMS = {"iter1": {"policy": "sft"}, "iter2": {"policy": "iter1"}}
GRAPH = {
    "score": {
        "foreach": "${iterations}",
        "do": {
            "cmd": "echo ${key} > data/${key}.scores",
            "params": ["iterations.${key}", {"data/code.json": ["score"]}],
            "outs": ["data/${key}.scores"],
        },
    },
    "pair": {
        "foreach": "${iterations}",
        "do": {
            "cmd": "cat data/${key}.scores data/code.json > data/${key}.pairs",
            "params": [{"data/code.json": ["pair"]}],
            "deps": ["data/${key}.scores"],
            "outs": ["data/${key}.pairs"],
        },
    },
    "gate": {
        "cmd": "cat data/iter1.scores > data/checks.json",
        "params": [{"data/code.json": ["gate.pairs"]}],
        "deps": ["data/iter1.scores"],
        "outs": ["data/checks.json"],
    },
}

Dvc = Callable[..., list[str]]


def edit(file: Path, text: str = "\n\ndef added() -> int:\n    return 1\n") -> None:
    file.write_text(file.read_text("utf-8") + text, "utf-8")


@pytest.fixture
def dvc(project: Path) -> Dvc:
    """Run DVC in the project's copy, its graph cut down; returns the stages that ran."""
    real = yaml.safe_load((project / "dvc.yaml").read_text("utf-8"))["stages"]["code"]
    graph = {"stages": {"code": real, **GRAPH}}
    (project / "dvc.yaml").write_text(yaml.safe_dump(graph), "utf-8")
    whole = read(project / "recipes/sample.yaml").values
    iterations = {name: {**whole["iterations"]["iter1"], **item} for name, item in ITEMS.items()}
    iterations["iter2"]["prompts"] = whole["iterations"]["iter2"]["prompts"]
    whole["iterations"] = iterations
    whole["evaluation"]["policies"] = ["sft", "iter1"]
    (project / "params.yaml").write_text(yaml.safe_dump(whole, sort_keys=False), "utf-8")
    here = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    author = {f"GIT_{who}_{what}": "test" for who in ("AUTHOR", "COMMITTER") for what in ("NAME",)}
    mail = {f"GIT_{who}_EMAIL": "t@example.invalid" for who in ("AUTHOR", "COMMITTER")}
    env = {**os.environ, **author, **mail, "PATH": here, "PYTHONPATH": ".", "DVC_NO_ANALYTICS": "1"}

    def run(*argv: str, program: str = "dvc") -> list[str]:
        done = subprocess.run(
            [program, *argv], cwd=project, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        run.told = done.stdout + done.stderr  # type: ignore[attr-defined]
        return re.findall(r"Running stage '(.+)':", done.stdout)

    run("repro")
    run("add", "-A", program="git")
    run("commit", "-qm", "built", program="git")
    return run


@pytest.mark.slow
def test_an_edit_runs_its_own_stages_alone(project: Path, dvc: Dvc) -> None:
    assert dvc("repro") == []
    assert "up to date" in dvc.told  # type: ignore[attr-defined]
    dvc("status")
    assert "up to date" in dvc.told  # type: ignore[attr-defined]

    edit(project / STRATEGIES)
    assert dvc("repro", "pair@iter2") == ["code", "pair@iter2"]
    assert dvc("repro") == ["pair@iter1"]
    edit(project / "curation/ui/app.py")  # of no stage
    assert dvc("repro") == ["code"]
    edit(project / "curation/gates/checks/pairs/tie_rate.sql", "-- more\n")
    assert dvc("repro") == ["code", "gate"]
    edit(project / "curation/gates/checks/mixes/conflict_rate.sql", "-- more\n")
    assert dvc("repro") == ["code"]
    (project / "data/code.json").unlink()  # a fresh clone has none
    assert set(dvc("repro")) <= {"code"}
    dvc("status")
    assert "up to date" in dvc.told  # type: ignore[attr-defined]


@pytest.mark.slow
def test_an_experiment_sees_an_edit_too(project: Path, dvc: Dvc) -> None:
    edit(project / STRATEGIES)
    assert dvc("exp", "run", "--temp") == ["code", "pair@iter1", "pair@iter2"]
    assert dvc("exp", "run", "--temp", "-S", "iterations.iter1.n=3") == ["code", "score@iter1"]


def test_every_stage_has_a_hash_and_a_gate_one_per_table(tmp_path: Path) -> None:
    target = tmp_path / "new" / "code.json"
    assert code.main(["--hashes", str(target)]) == 0
    told = json.loads(target.read_text("utf-8"))
    assert {"pair", "dpo", "fetch"} <= told.keys()
    assert "code" not in told
    assert told["gate"]["pairs"] != told["gate"]["mixes"]
    assert [path.name for path in target.parent.iterdir()] == ["code.json"]


def test_a_wrong_recipe_is_told_and_nothing_is_written(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target, recipe = tmp_path / "code.json", tmp_path / "params.yaml"
    whole = (root / "recipes/sample.yaml").read_text("utf-8")
    recipe.write_text(whole.replace("  hh_rlhf:", "  $(touch hit):", 1), "utf-8")
    assert code.main(["--hashes", str(target), "--params", str(recipe)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"code: {recipe}: sources.$(touch hit)")
    assert said.count("\n") == 1
    assert not target.exists()


def test_an_unknown_module_is_told_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "code.json"
    assert code.main(["--hashes", str(target), "pipelines.stages.gone"]) == 2
    assert capsys.readouterr().err == "code: pipelines.stages.gone: no module of this project\n"
    assert not target.exists()
