"""Great Expectations as a command: a report without times, docs, and one line when it fails."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from curation.core.errors import UserError
from curation.core.schema import MESSAGES, PREFERENCES, REJECTS
from pipelines.stages import expectations


@pytest.fixture
def folder(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the shipped parameters and two preference sources."""
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(root / "recipes/sample.yaml", tmp_path / "params.yaml")
    for name in ("one", "two"):
        place = tmp_path / "data" / "sources" / "preference" / name
        place.mkdir(parents=True)
        _source(name).write_parquet(place / "table.parquet")
        REJECTS.empty().write_parquet(place / "rejects.parquet")
    return tmp_path


def _source(name: str, **change: Any) -> pl.DataFrame:
    def says(text: str, role: str = "assistant") -> list[dict[str, str]]:
        return [{"role": role, "content": text}]

    rows = [
        {
            "pair_id": f"{name}{i}", "prompt_id": f"p{i}", "source": name, "source_row": str(i),
            "prompt": says(f"q{i}", "user"), "chosen": says("a" * (1 + i % 3)),
            "rejected": says("b" * (1 + (i + 1) % 3)), "chosen_score": 2.0, "rejected_score": 1.0,
            "margin": 1.0, "prompt_chars": 2, "chosen_chars": 1 + i % 3,
            "rejected_chars": 1 + (i + 1) % 3, "turns": 1, "annotator": "human", "license": "mit",
        } | change
        for i in range(9)
    ]  # fmt: skip
    frame = pl.DataFrame(rows).with_columns(
        pl.col("prompt", "chosen", "rejected").cast(MESSAGES),
        prompt_tokens=None, chosen_tokens=None, rejected_tokens=None,
        chosen_model=None, rejected_model=None,
    )  # fmt: skip
    return frame.select(pl.col(c.name).cast(c.dtype) for c in PREFERENCES.columns)


def _run(report: str = "data/expectations/sources.json") -> int:
    return expectations.main(
        ["--suite", "sources", "--tables", "data/sources/preference", "--report", report]
    )


def test_sources_pass_with_docs_and_a_report_that_repeats(folder: Path) -> None:
    assert _run() == 0
    report = Path("data/expectations/sources.json")
    first = report.read_bytes()
    assert json.loads(first)["frames"]["sources"]["rows"] == 2
    page = (folder / "data" / "docs" / "sources" / "index.html").read_text()
    assert "sources" in page
    assert _run() == 0
    assert report.read_bytes() == first
    assert len(list((folder / "data" / "docs").iterdir())) == 1


def test_a_failing_source_is_named_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = folder / "data" / "sources" / "preference" / "two"
    _source("two", chosen_score=1.0, margin=0.0).write_parquet(place / "table.parquet")
    assert _run() == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "sources: expect_column_values_to_be_between(column=smallest_margin" in error
    assert "Margins are above zero." in error
    assert not json.loads(Path("data/expectations/sources.json").read_text())["passed"]


def test_no_tables_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(folder / "data")
    assert _run() == 2
    assert "no */table.parquet in it" in capsys.readouterr().err
    assert expectations.main(["--suite", "iteration", "--report", "r/x.json"]) == 2
    assert "wants scores.parquet and pairs.parquet" in capsys.readouterr().err


def test_the_check_command_does_not_import_great_expectations(root: Path) -> None:
    code = (
        "import sys, pipelines.stages.gate, pipelines.stages.pair, pipelines.stages.history; "
        "sys.exit(bool({'great_expectations', 'torch', 'pandas'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


@pytest.mark.parametrize("missing", ["index", "page"])
def test_docs_that_could_not_be_written_are_no_success(tmp_path: Path, missing: str) -> None:
    site = tmp_path / "site"
    (site / "validations").mkdir(parents=True)
    (site / "index.html").write_text("" if missing == "page" else "whole")
    (site / "validations/a.html").write_text("whole")
    if missing == "index":
        (site / "index.html").unlink()
    with pytest.raises(UserError, match="docs/sources: its pages could not be written whole"):
        expectations._written(site, Path("docs/sources"))
