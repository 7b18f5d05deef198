"""The report command: its files, its last lines, whole folders exchanged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from curation.audit import catalog
from pipelines.stages import report
from tests.conftest import ROOT
from tests.curation.audit.tiny import write_build


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_build(tmp_path / "data")
    return tmp_path / "data" / "report"


def run(out: Path, data: str = "data") -> int:
    recipe = ROOT / "recipes" / "sample.yaml"
    flags = ["--data", data, "--out", str(out), "--metrics", str(out.parent / "metrics")]
    return report.main([*flags, "--params", str(recipe)])


def test_it_writes_page_summary_and_figures(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(out) == 0
    figures = {file.name for file in (out / "figures").iterdir()}
    assert {"policies.svg", "policies.json", "drops.svg", "prompt_map.svg"} <= figures
    assert json.loads((out / "summary.json").read_text())["policies"]["iter1"]["win_rate"] == 0.75
    assert (out / "iterations" / "iter1.html").read_text().startswith("<!doctype html>")
    printed = capsys.readouterr().out
    assert "iter1               1               0          2" in printed
    assert str(out / "index.html") in printed


def test_it_writes_a_small_file_each_policy(out: Path) -> None:
    assert run(out) == 0
    found = {
        str(file.relative_to(out.parent)): json.loads(file.read_text())
        for file in (out.parent / "metrics").rglob("*.json")
    }
    assert found == {
        "metrics/policy/iter1.json": {"kl": 0.5, "win_rate": 0.75},
        "metrics/policy/sft.json": {"kl": 0.5},
    }
    again = {str(key) for key in catalog.documents(out.parent)}
    assert not any(name.startswith("metrics/") for name in again)


def test_a_second_run_changes_no_byte(out: Path) -> None:
    run(out)
    before = {file: file.read_bytes() for file in out.rglob("*") if file.is_file()}
    (out / "figures" / "stale.svg").write_text("old")
    run(out)
    assert {file: file.read_bytes() for file in out.rglob("*") if file.is_file()} == before


def test_a_broken_table_leaves_the_old_report(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(out)
    before = (out / "index.html").read_bytes()
    Path("data/iterations/iter1/pairs.parquet").write_bytes(b"no table")
    assert run(out) == 2
    assert "iter1/pairs.parquet" in capsys.readouterr().err
    assert (out / "index.html").read_bytes() == before
    assert [file.name for file in out.iterdir() if file.name.startswith(".")] == []


def test_a_missing_build_is_one_line(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(out, "nowhere") == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_folders_appear_together_or_stay_as_they_were(tmp_path: Path) -> None:
    out = tmp_path / "report"
    report._folders({out / "figures": {"a.svg": "old"}, out / "iterations": {"i.html": "old"}})
    bad = {"i.html": "new", "x" * 300: "new"}
    with pytest.raises(OSError, match="too long"):
        report._folders({out / "figures": {"a.svg": "new"}, out / "iterations": bad})
    found = {path.name: path.read_text() for path in out.rglob("*.*") if path.is_file()}
    assert found == {"a.svg": "old", "i.html": "old"}
    assert sorted(path.name for path in out.iterdir()) == ["figures", "iterations"]
