"""Every knob is documented where it is declared, and what is generated from there is not stale."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.core.params.text import read
from pipelines.shared import knobs, parameter_pages, recipe_text

ROOT = Path(__file__).resolve().parents[3]
RECIPES = [*sorted((ROOT / "recipes").glob("*.yaml")), ROOT / "recipes/claims/recipe.yaml"]


@pytest.mark.parametrize("knob", knobs.every(), ids=lambda knob: knob.key)
def test_every_knob_has_a_sentence(knob: knobs.Knob) -> None:
    assert knob.says.endswith("."), f"{knob.key}: give it a sentence with knob(...)"
    assert len(knob.says) > 10
    assert knob.kind


def test_knobs_that_no_page_named_are_on_the_page() -> None:
    page = parameter_pages.parameters()
    for key in ("dpo.lora", "dpo.label_smoothing", "dpo.ld_alpha", "sft.bf16", "engine.server.url"):
        assert f"| `{key}` |" in page
    row = next(line for line in page.splitlines() if line.startswith("| `dpo.beta` |"))
    assert row == (
        "| `dpo.beta` | number, > 0, <= 1,000 | `0.1` | "
        "Strength of the pull to the reference (the paper's eta). |"
    )
    row = next(line for line in page.splitlines() if line.startswith("| `iterations.NAME.n` |"))
    assert "integer, >= 2" in row
    assert "In responses." in row
    assert (
        "| `iterations.NAME.max_new_tokens` | integer, > 0, <= 1,000,000 | **required** |" in page
    )


def test_the_schema_is_not_stale() -> None:
    written = (ROOT / recipe_text.SCHEMA).read_text("utf-8")
    assert written == parameter_pages.schema(), "run prefloop reference"


@pytest.mark.parametrize("path", [*RECIPES, ROOT / "params.yaml"], ids=lambda path: path.stem)
def test_recipes_name_the_schema_and_keep_it(path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    first = path.read_text("utf-8").splitlines()[0]
    schema = (path.parent / first.removeprefix(recipe_text.EDITOR)).resolve()
    assert schema == (ROOT / recipe_text.SCHEMA).resolve()
    checker = jsonschema.Draft202012Validator(json.loads(schema.read_text("utf-8")))
    assert not list(checker.iter_errors(yaml.safe_load(path.read_text("utf-8"))))
    assert not list(checker.iter_errors(read(path).values))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dpo", {"betta": 1}),
        ("dpo", {"beta": 0}),
        ("sources", {"shp": {"format": "shpp"}}),
        ("sources", {"shp": {"filters": ["structurall"]}}),
        ("extend", "sample"),
    ],
)
def test_an_editor_sees_a_slip(key: str, value: Any) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    checker = jsonschema.Draft202012Validator(json.loads(parameter_pages.schema()))
    assert not list(checker.iter_errors({"extends": "sample"}))
    assert list(checker.iter_errors({"extends": "sample", key: value}))
    assert list(checker.iter_errors({"seeds": {}})), "a file that extends nothing lacks sections"
