"""The twin of the 8B recipe: the recipe's own keys, and rows that its sources and rules take.

The whole of it, `python -m benchmarks.twin`, takes the better part of an hour; this is short.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
import yaml

from benchmarks.twin import hub, recipe
from pipelines.core import params
from pipelines.core.params.text import read
from pipelines.shared import recipe_files
from pipelines.stages import fetch, standardize
from tests.conftest import ROOT

RECIPE = Path("recipes/llama3-8b.yaml")
ROWS = 50


@pytest.fixture
def twin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The twin's file, in the project's folder as far as recipes and code are asked for."""
    monkeypatch.chdir(tmp_path)
    for name in ("recipes", "data", "training"):
        (tmp_path / name).symlink_to(ROOT / name)
    path = tmp_path / "twin.yaml"
    path.write_text(recipe.text("llama3-8b"), "utf-8")
    return path


def test_it_differs_in_sizes_alone(twin: Path) -> None:
    found = read(twin)
    recipe_files.check(found, params.check(found))
    differing = recipe.differing(RECIPE, twin)
    assert {key.partition(".")[0] for key in differing} <= set(recipe.SIZES)
    launched = [key for key in differing if key.endswith(".launch")]
    assert len(launched) == 5
    assert {differing[key][1] for key in launched} == {"recipes/accelerate/cpu2.yaml"}
    assert recipe.base(RECIPE) == "meta-llama/Meta-Llama-3-8B"


def test_a_set_without_rows_is_named() -> None:
    with pytest.raises(SystemExit, match="no rows are made for this set"):
        hub.files(["hf://some/set/x.json"], 2)


def local(twin: Path) -> Path:
    """The twin with its sources' files in a folder, by the patterns that the recipe has."""
    values = read(twin).values
    for uri, files in ((uri, hub.files([uri], ROWS)) for uri in recipe.uris(RECIPE)):
        ((repo, contents),) = files.items()
        for name, body in contents.items():
            file = twin.parent / "made" / repo / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(body)
        for source in values["sources"].values():
            if source.get("uri") == uri:
                source["path"] = f"made/{uri.removeprefix('hf://')}"
                del source["uri"], source["revision"]
    path = twin.with_name("local.yaml")
    path.write_text(yaml.safe_dump(values), "utf-8")
    return path


@pytest.mark.slow
def test_every_source_is_fetched_and_standardized(twin: Path, base: Path) -> None:
    path = local(twin)
    Path("control.json").write_text('{"turns": ["<|eot_id|>"]}')
    few: dict[str, float] = {}
    for name in params.check(read(path)).sources:
        at = ["--source", name, "--params", str(path), "--native", f"{name}/native.parquet"]
        more = ["--rejects", f"{name}/fetch.parquet", "--manifest", f"{name}/fetch.json"]
        assert fetch.main([*at, *more]) == 0
        assert pl.read_parquet(f"{name}/native.parquet").height == ROWS
        out = ["--table", f"{name}/table.parquet", "--rejects", f"{name}/rejects.parquet"]
        by = ["--tokenizer", str(base / "tokenizer.json"), "--control", "control.json"]
        assert standardize.main([*at, *by, *out, "--metrics", f"{name}/metrics.json"]) == 0
        kept = pl.read_parquet(f"{name}/table.parquet").height
        lost = pl.read_parquet(f"{name}/rejects.parquet").height
        few[name] = kept / (kept + lost)
    assert few.pop("nectar") == pytest.approx(1 / 6)  # one of six pairs of a prompt
    assert few["mt_bench"] == few["arena_hard"] == 1.0
    assert pl.read_parquet("mt_bench/table.parquet").height == 2 * ROWS
    assert min(few.values()) > 0.25, few
