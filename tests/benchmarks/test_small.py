"""The benchmarks of tables run, at sizes that say nothing about speed."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

from benchmarks import curation, loop
from benchmarks.ways import audit_build
from tests.conftest import ROOT


@pytest.fixture(autouse=True)
def _(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)  # its stages read the shipped recipe


def ways(told: str, cell: int) -> list[str]:
    """This cell of every row whose next one is seconds."""
    skipped = r"(?: [^|]+ \|)" * cell
    return re.findall(rf"^\|{skipped} ([^|]+) \| \d+\.\d\d \|", told, re.MULTILINE)


def test_curation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    few = ["--rows", "300", "--repeats", "1", "--ways", "ours", "floor"]
    monkeypatch.setattr("sys.argv", ["curation", "--work", str(tmp_path), *few])
    curation.main()
    assert ways(capfd.readouterr().out, 1) == ["ours", "floor"]


def test_pairing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    few = ["--only", "pairing", "--prompts", "50", "--repeats", "1"]
    monkeypatch.setattr("sys.argv", ["loop", "--work", str(tmp_path), *few])
    loop.main()
    told = capfd.readouterr().out
    assert ways(told, 0) == ["select", "loop, texts", "loop, slim", "stage", "floor"]


def test_the_audits_build(tmp_path: Path) -> None:
    data = audit_build.make(120, tmp_path)
    iterations = ("iter1", "iter2", "iter3")
    pairs = [
        pl.read_parquet(data / "iterations" / name / "pairs.parquet").height for name in iterations
    ]
    assert sum(pairs) == 120
    mixed = pl.read_parquet(data / "mixes/mix1/mix.parquet").height
    assert 0 < mixed < 120
