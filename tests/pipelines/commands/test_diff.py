"""prefloop diff of two builds that differ by one parameter, against a set difference."""

from __future__ import annotations

import json
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from pipelines.commands import diff
from tests.conftest import ROOT
from tests.curation.pairing.conftest import build
from tests.pipelines.reviewed import run_pair

Rows = dict[str, dict[str, Any]]
PROMPTS = 80


def answers() -> dict[str, list[tuple[str, float]]]:
    """Texts of hashed lengths and rewards that grow with length: a penalty changes many pairs."""
    said: dict[str, list[tuple[str, float]]] = {}
    for prompt in range(PROMPTS):
        rolls = [sha256(f"{prompt}:{sample}".encode()).digest() for sample in range(2 + prompt % 4)]
        said[f"prompt{prompt:03d}"] = [
            (f"{roll.hex()} " * (1 + roll[0] % 3), round(roll[1] / 64 + roll[0] % 3, 3))
            for roll in rolls
        ]
    return said


def make(folder: Path, penalty: float) -> Rows:
    """A build by the pair stage under this length penalty; its pairs by id."""
    recipe = yaml.safe_load((ROOT / "recipes" / "sample.yaml").read_text("utf-8"))
    recipe["pairs"]["length_penalty"] = penalty
    changed = yaml.safe_dump(recipe, sort_keys=False)
    iteration = folder / "data" / "iterations" / "iter1"
    iteration.mkdir(parents=True)
    (folder / "data" / "prompts").mkdir()
    (folder / "params.yaml").write_text(changed, "utf-8")
    world = build(answers())
    world.generations.write_parquet(iteration / "generations.parquet")
    world.scores.write_parquet(iteration / "scores.parquet")
    world.prompts.write_parquet(folder / "data" / "prompts" / "prompts.parquet")
    assert run_pair(folder) == 0
    rows = pl.read_parquet(iteration / "pairs.parquet").to_dicts()
    return {row["pair_id"]: row for row in rows}


def sides(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["prompt_id"], row["chosen"][0]["content"], row["rejected"][0]["content"]


def test_counts_are_those_of_the_sets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = make(tmp_path / "a", 0.0), make(tmp_path / "b", 0.02)
    capsys.readouterr()
    builds = [str(tmp_path / side / "data") for side in "ab"]
    assert diff.main([*builds, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)

    before, after = set(map(sides, a.values())), set(map(sides, b.values()))
    flipped = {one for one in after - before if (one[0], one[2], one[1]) in before - after}
    gone = {(prompt, rejected, chosen) for prompt, chosen, rejected in flipped}
    assert flipped
    assert found["counts"] == {
        "unchanged": len(before & after),
        "added": len(after - before - flipped),
        "removed": len(before - after - gone),
        "flipped": len(flipped),
    }
    assert min(found["counts"].values()) > 0
    (group,) = found["groups"]
    assert group["margin_shift"] == pytest.approx(mean(b, "margin") - mean(a, "margin"), abs=1e-6)
    shift = mean(b, "chosen_chars") - mean(a, "chosen_chars")
    assert group["chosen_chars_shift"] == pytest.approx(shift, abs=1e-4)
    assert (group["pairs_a"], group["pairs_b"]) == (len(a), len(b))
    shown = Counter(one["prompt"].removeprefix("ask ") for one in found["examples"]["flipped"])
    assert set(shown) <= {prompt for prompt, _, _ in flipped}


def mean(rows: Rows, column: str) -> float:
    values = [row[column] for row in rows.values()]
    return float(sum(values) / len(values))
