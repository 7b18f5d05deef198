"""lm-eval on the tiny model: a made-up local task, the recipe, and every refusal."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest
import yaml

from pipelines import cli
from pipelines.commands import lm_eval

ROOT = Path(__file__).resolve().parents[3]
TASK = """task: sounds
dataset_path: json
dataset_kwargs: {data_files: {test: sounds.jsonl, train: sounds.jsonl}}
test_split: test
fewshot_split: train
output_type: multiple_choice
doc_to_text: "The {{animal}} says"
doc_to_choice: [woof, moo]
doc_to_target: "{{label}}"
metric_list: [{metric: acc}]
"""
INSTALLED = importlib.util.find_spec("lm_eval") is not None


def recipe(path: Path, **more: object) -> str:
    task = {"sounds": {"shots": 1, "metric": "acc,none", **more}}
    path.write_text(yaml.safe_dump({"tasks": task}), "utf-8")
    return str(path)


@pytest.fixture(autouse=True)
def _in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_bytes((ROOT / "recipes/sample.yaml").read_bytes())


def run(recipe: str, *more: str, checkpoint: Path = Path("none")) -> int:
    flags = ["--checkpoint", str(checkpoint), "--metrics", "out.json", "--recipe", recipe]
    return cli.main(["lm-eval", *flags, *more])


@pytest.mark.skipif(not INSTALLED, reason="the evaluation extra is not installed")
def test_a_local_task_on_the_tiny_model(
    base: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    rows = [{"animal": a, "label": k} for k, a in enumerate(("dog", "cow"))] * 3
    Path("sounds.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    folder = tmp_path / "tasks"
    folder.mkdir()
    text = TASK.replace("sounds.jsonl", str(tmp_path / "sounds.jsonl"))
    (folder / "sounds.yaml").write_text(text)
    given = ("--task-folder", str(folder), "--limit", "4")
    assert run(recipe(tmp_path / "r.yaml", column="ARC"), *given, checkpoint=base) == 0
    found = json.loads(Path("out.json").read_text())["tasks"]["sounds"]
    assert found["value"] * 4 == round(found["value"] * 4)
    out = capsys.readouterr().out
    assert "ARC (1)" in out
    assert "paper: iterative DPO" in out
    assert "64.3" in out
    wrong = recipe(tmp_path / "r.yaml", metric="f1,none")
    assert run(wrong, *given, checkpoint=base) == 2
    assert "sounds: lm-eval gives no f1,none; it gives acc,none" in capsys.readouterr().err


def test_without_lm_eval_one_line_says_what_to_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert run(recipe(tmp_path / "r.yaml")) == 2
    assert capsys.readouterr().err == (
        "lm_eval: lm-eval is not installed; pip install 'prefloop[evaluation]'\n"
    )
    assert not Path("out.json").exists()


def test_code_of_the_model_runs_only_when_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(recipe(tmp_path / "r.yaml", runs_code=True)) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "sounds run code that the model wrote; give --run-code" in error


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("tasks: {}", "tasks"),
        ("tasks: {a: {shots: -1, metric: acc}}", "tasks.a.shots"),
        ("tasks: {a: {shots: 1, metric: acc, shot: 2}}", "tasks.a: shot: unknown key"),
        ("tasks: [", "not YAML"),
    ],
)
def test_a_bad_recipe_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, says: str
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    assert run(str(path)) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert says in error


def test_the_papers_recipe_has_its_shots() -> None:
    entries = lm_eval.read(ROOT / "recipes/lm_eval/paper.yaml").tasks
    shots = {entry.column: entry.shots for entry in entries.values()}
    assert shots == {
        "GSM8K": 8, "MMLU": 5, "HumanEval": 0, "TruthfulQA": 0, "ARC": 25, "MBPP": 0
    }  # fmt: skip
    assert sys.modules.get("lm_eval") is None or INSTALLED
