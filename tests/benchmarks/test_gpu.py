"""The GPU's benchmark runs small on a CPU, every part of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import gpu
from tests.conftest import ROOT


def test_every_part_runs_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["gpu", "--small", "--out", str(tmp_path / "gpu.md")])
    figures = {one.what: one for one in gpu.main()}
    assert list(figures) == [
        "reference pass",
        "scoring, prompt once",
        "scoring, padded",
        "DPO, references stored",
        "DPO, references in training",
        "sampling",
    ]
    for one in figures.values():
        assert one.rate > 0
        assert 0 < one.share < 1.5
    assert (tmp_path / "gpu.md").read_text("utf-8").count("| ") > 20


def test_flops_are_two_for_each_weight_and_pair_of_tokens() -> None:
    bench = gpu.Bench(Path(), gpu.SMALL, weights=100, head=7, bf16=False, peak=1.0)
    assert bench.flops([3, 5], logits=2) == 2 * (100 * 8 + 7 * 2) + 2 * 2 * 32 * (9 + 25)


def test_nothing_is_missing_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert gpu.missing() == []
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert [one.partition("==")[0] for one in gpu.missing()] == list(gpu.NEEDS)
