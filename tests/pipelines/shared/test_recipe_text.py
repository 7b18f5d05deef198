"""params.yaml is written whole: what a recipe says, every default, a sentence for each knob."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from pipelines.core import params
from pipelines.core.params.text import read
from pipelines.shared import recipe_text

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _in_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("path", sorted((ROOT / "recipes").rglob("*.yaml")), ids=lambda p: p.stem)
def test_what_is_written_is_the_recipe_itself(path: Path, tmp_path: Path) -> None:
    if path.parent != ROOT / "recipes" and path.name != "recipe.yaml":
        pytest.skip("no recipe")
    text = recipe_text.text(read(path))
    (tmp_path / "params.yaml").write_text(text, "utf-8")
    assert params.load(tmp_path / "params.yaml") == params.load(path)
    assert max(map(len, text.splitlines())) <= 120


def test_defaults_are_written_with_their_sentence_and_maps_as_they_are() -> None:
    text = recipe_text.text(read(Path("recipes/ci.yaml")))
    written = yaml.safe_load(text)
    assert written["dpo"]["label_smoothing"] == 0.0
    assert written["mixes"]["mix1"] == {"members": {"hh_rlhf": {}, "shp": {}}, "eval_share": 0.1}
    lines = text.splitlines()
    assert lines[0] == "# yaml-language-server: $schema=params.schema.json"
    assert lines[1].startswith("# Written by `prefloop use ci` from recipes/ci.yaml, which extends")
    (engine,) = [line for line in lines if line.startswith("  name: transformers")]
    assert engine.endswith("  # Which engine: transformers | vllm | server")


def test_params_yaml_of_the_checkout_is_what_use_sample_writes() -> None:
    """The committed file, or the one in place: another recipe may be in use."""
    expected = recipe_text.text(read(Path("recipes/sample.yaml")))
    shown = subprocess.run(
        ["git", "show", "HEAD:params.yaml"], capture_output=True, text=True, check=False
    ).stdout
    assert expected in (Path("params.yaml").read_text("utf-8"), shown), "run prefloop use sample"
