"""The contract as a stage of the graph and as a command: verdicts, exit codes, the report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.commands import contract as command
from pipelines.stages import contract
from training.trainers import tokenizer as own


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """What the contract reads of a checkpoint: a tokenizer and the ends it declares."""
    tokenizer = own.train(["A wren and a finch."], 300)
    tokenizer.save_pretrained(tmp_path / "base")
    told = {"eos_token_id": tokenizer.eos_token_id}
    (tmp_path / "base" / "generation_config.json").write_text(json.dumps(told))
    return tmp_path / "base"


def test_the_verdicts_are_a_report_of_a_gate(model: Path, tmp_path: Path) -> None:
    report = tmp_path / "contract.json"
    assert contract.main(["--checkpoint", str(model), "--report", str(report)]) == 0
    found = json.loads(report.read_text())
    assert (found["table"], found["passed"], found["rows"]) == ("contract", True, 10)
    assert {check["examples"][0] for check in found["checks"]} == {"holds"}


def test_a_broken_promise_stops_the_build_and_leaves_its_report(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (model / "generation_config.json").write_text('{"eos_token_id": 0}')
    report = tmp_path / "contract.json"
    assert contract.main(["--checkpoint", str(model), "--report", str(report)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"contract: {model}: all stop at the same token: a turn ends with")
    assert said.count("\n") == 1
    assert json.loads(report.read_text())["passed"] is False


def test_the_command_prints_each_promise(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([str(model)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + 10
    assert lines[2].split()[:4] == ["one", "BOS", "at", "most"]


def test_a_folder_without_a_tokenizer_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
