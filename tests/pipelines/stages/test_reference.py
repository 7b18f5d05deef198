"""The reference stage computes the pairs it has not seen, and keeps the rest as they are."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
import yaml

from curation.core import schema
from pipelines.core.io import read, read_json
from pipelines.core.outputs import Outputs
from pipelines.core.params import placement
from pipelines.core.params.placement import Placement
from pipelines.shared import references
from pipelines.stages import reference
from tests.training.stages import command, history


def test_only_new_pairs_are_computed(
    base: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("policy").symlink_to(base)
    recipe = yaml.safe_load((root / "recipes/sample.yaml").read_text("utf-8"))
    Path("params.yaml").write_text(yaml.safe_dump(recipe))
    write(history(12), schema.HISTORY, "history.parquet")
    write(schema.REFERENCE.empty(), schema.REFERENCE, "none.parquet")
    argv = command("reference", "one")[1]
    assert reference.main(argv) == 0
    first = read(Path("one/reference.parquet"), schema.REFERENCE)
    marked = first.with_columns(ref_chosen_logps=pl.lit(-1234.5))  # as no model would give
    write(marked, schema.REFERENCE, "none.parquet")
    write(history(20), schema.HISTORY, "history.parquet")
    assert reference.main(command("reference", "two")[1]) == 0
    told = read_json(Path("two/reference.json"))
    assert (told["reused"], told["computed"]) == (12, 8)
    grown = read(Path("two/reference.parquet"), schema.REFERENCE)
    kept = grown.join(first.select("pair_id"), on="pair_id", how="semi")
    assert kept.equals(marked)
    assert (grown["ref_chosen_logps"] == -1234.5).sum() == 12


def test_actors_compute_the_same_bytes(
    base: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(references, "SHARD_PAIRS", 5)
    Path("policy").symlink_to(base)
    recipe = yaml.safe_load((root / "recipes/sample.yaml").read_text("utf-8"))
    Path("params.yaml").write_text(yaml.safe_dump(recipe))
    write(history(12), schema.HISTORY, "history.parquet")
    write(schema.REFERENCE.empty(), schema.REFERENCE, "none.parquet")
    assert reference.main(command("reference", "here")[1]) == 0
    monkeypatch.setattr(placement, "here", lambda: Placement(ray="local", replicas=2))
    assert reference.main(command("reference", "actors")[1]) == 0
    here, actors = Path("here/reference.parquet"), Path("actors/reference.parquet")
    assert actors.read_bytes() == here.read_bytes()


def write(frame: pl.DataFrame, table: schema.Table, path: str) -> None:
    outputs = Outputs()
    outputs.table(Path(path), table, frame)
    outputs.commit()
