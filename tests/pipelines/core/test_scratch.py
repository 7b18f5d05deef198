"""Scratch of a killed run goes, that of a live one stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.core.scratch import SCRATCH, scratch


def test_scratch_of_a_killed_run_is_removed_and_that_of_a_live_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    left = SCRATCH / "left"
    left.mkdir(parents=True)
    (left / "spill").write_text("rows")
    with scratch() as first, scratch() as second:
        assert not left.exists()
        assert first.is_dir()
        assert second.is_dir()
    assert not list(SCRATCH.iterdir())
