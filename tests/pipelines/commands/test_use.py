"""`prefloop use` puts a valid recipe in place whole, or leaves params.yaml alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import cli

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipes").symlink_to(ROOT / "recipes")
    (tmp_path / "dvc.yaml").symlink_to(ROOT / "dvc.yaml")


def test_use_copies_byte_for_byte() -> None:
    assert cli.main(["use", "real-small"]) == 0
    assert Path("params.yaml").read_bytes() == (ROOT / "recipes/real-small.yaml").read_bytes()


@pytest.mark.parametrize("text", ["seeds: {}", "a: ["])
def test_use_refuses_a_bad_recipe_and_keeps_the_old(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("params.yaml").write_text("old")
    Path("bad.yaml").write_text(text)
    assert cli.main(["use", "bad.yaml"]) == 2
    assert Path("params.yaml").read_text() == "old"
    assert capsys.readouterr().err.count("\n") == 1


def test_an_unknown_recipe_names_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["use", "nope"]) == 2
    assert "recipes: ci, gemma-2b, llama3-8b, real-small, sample" in capsys.readouterr().err


def test_check_recipe_resolves_the_graph(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check-recipe", "llama3-8b"]) == 0
    assert "valid, 180 stages" in capsys.readouterr().out
