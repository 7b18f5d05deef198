"""`prefloop use` puts a valid recipe in place whole, or leaves params.yaml alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import cli
from pipelines.core import params

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("recipes", "dvc.yaml", "training"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/sample").symlink_to(ROOT / "data/sample")


def test_use_writes_the_whole_recipe_and_what_it_extends() -> None:
    assert cli.main(["use", "ci"]) == 0
    assert params.load(Path("params.yaml")) == params.load(Path("recipes/ci.yaml"))
    assert "extends:" not in Path("params.yaml").read_text("utf-8")


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
    assert (
        "recipes: ci, claims, gemma-2b, llama3-8b, qwen3-8b, real-small, sample"
        in capsys.readouterr().err
    )


def test_a_recipe_near_to_a_known_one_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check-recipe", "sampel"]) == 2
    assert "sampel: no such recipe; did you mean sample?" in capsys.readouterr().err


def test_check_recipe_resolves_the_graph(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check-recipe", "llama3-8b"]) == 0
    assert "valid, 148 stages" in capsys.readouterr().out
