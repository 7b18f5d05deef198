"""The figures of a build as Markdown, from the tiny build that the audit's tests read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import smollm2
from curation.audit.connect import open_build
from tests.curation.audit.tiny import write_build


def test_wilson_s_interval() -> None:
    assert smollm2.wilson(0.5, 100) == pytest.approx((0.4038, 0.5962), abs=1e-4)
    low, high = smollm2.wilson(1.0, 10)
    assert 0.7 < low < 0.75
    assert high == pytest.approx(1.0)


def test_costs_are_per_cpu_second_and_add_up() -> None:
    one = {"stage": "sft", "seconds": 4.0, "cpu_seconds": 2.0, "peak_gib": 1.5, "tokens": 50}
    other = one | {"stage": "gate", "tokens": None, "peak_gib": 2.0}
    lines = smollm2.costs([one, other]).splitlines()
    assert lines[2] == "| sft | 4 | 2 | 1.500 | 50 | 25.000 |"
    assert lines[3] == "| all 2 stages | 8 | 4 | 2.000 | - | - |"


def test_tables_of_a_build(tmp_path: Path) -> None:
    build = write_build(tmp_path / "data")
    models = build / "checkpoints" / "reward_models"
    models.mkdir(parents=True)
    accuracy = {"accuracy": 0.75, "eval_pairs": 100, "accuracy_by_source": {"hh": 0.5}}
    (models / "mix1.json").write_text(json.dumps(accuracy | {"pairs_by_source": {"hh": 20}}))
    lines = smollm2.judges(models).splitlines()
    assert lines[2] == "| mix1 | all | 100 | 0.750 | 0.657 to 0.825 | 5.000 |"
    assert lines[3].endswith("| 20 | 0.500 | 0.299 to 0.701 | 0.000 |")
    con = open_build(build)
    assert "| iter1 | oracle | 2 | 0.750 | 0.250 |" in smollm2.wins(con)
    shown = smollm2.examples(con, "iter1", 1)
    assert "first (oracle" in shown
    assert "iter1 (oracle 1.000)" in shown
