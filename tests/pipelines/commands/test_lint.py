"""prefloop lint as a command: exit codes, pages, code scanning's form, a recipe that is valid."""

from __future__ import annotations

import json
from pathlib import Path

import datasets
import pytest
import yaml

from pipelines.commands import check_recipe, lint

ROWS = [
    {"prompt": f"Name bird {n}.", "chosen": f"A wren, {n}.", "rejected": f"A kea, not {n}."}
    for n in range(9)
]
BROKEN = {"prompt": "Name <b>it</b>.", "chosen": "A<|im_end|>", "rejected": "<script> and more"}


def written(folder: Path, *rows: dict[str, str]) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_fail_on_sets_the_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clean = str(written(tmp_path / "a", *ROWS))
    broken = str(written(tmp_path / "b", *ROWS, BROKEN))
    assert lint.main([clean, "--fail-on", "minor"]) == 0
    assert "nothing found" in capsys.readouterr().out
    assert lint.main([broken]) == 0
    assert lint.main([broken, "--fail-on", "major"]) == 1
    assert "MAJOR control_tokens: 1 (10.00%), rule control_tokens" in capsys.readouterr().out
    assert lint.main([str(tmp_path / "none.jsonl")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_pages_escape_what_rows_say_and_say_the_same(tmp_path: Path) -> None:
    file = str(written(tmp_path, *ROWS, BROKEN))
    names = {name: tmp_path / f"out.{name}" for name in ("html", "json", "sarif")}
    assert lint.main([file, *(word for n, p in names.items() for word in (f"--{n}", str(p)))]) == 0
    page = names["html"].read_text()
    assert "control_tokens" in page
    assert "&lt;|im_end|&gt;" in page
    assert "<script>" not in page
    [report] = json.loads(names["json"].read_text())["reports"]
    [result] = json.loads(names["sarif"].read_text())["runs"][0]["results"]
    assert [one["check"] for one in report["findings"]] == [result["ruleId"]] == ["control_tokens"]
    assert result["level"] == "error"
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 10


def test_the_written_recipe_is_valid_and_names_the_rules(tmp_path: Path) -> None:
    tied = [{**row, "score_chosen": 1, "score_rejected": 1} for row in ROWS]
    file = written(tmp_path, *tied)
    recipe = tmp_path / "mine.yaml"
    assert lint.main([str(file), "--write", str(recipe), "--name", "birds"]) == 0
    source = yaml.safe_load(recipe.read_text())["sources"]["birds"]
    assert source["format"] == "trl"
    assert source["filters"] == ["structural", "tie"]
    assert source["options"]["columns"]["chosen_score"] == "score_chosen"
    assert check_recipe.main([str(recipe)]) == 0


def test_a_folder_is_read_form_by_form(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path, *ROWS)
    (tmp_path / "sft.json").write_text(json.dumps([{"instruction": "a", "output": "b"}] * 2))
    (tmp_path / "README.md").write_text("# words")
    assert lint.main([str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "9 rows of form trl (preference)" in told
    assert "2 rows of form alpaca (sft)" in told


def test_a_folder_of_save_to_disk_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    datasets.Dataset.from_list(ROWS).save_to_disk(str(tmp_path / "saved"))
    assert lint.main([str(tmp_path / "saved")]) == 0
    assert "9 rows of form trl (preference), 9 items" in capsys.readouterr().out
