"""What was published is read back by the libraries that people read it with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import mlcroissant
import polars as pl
import pytest

from curation.publish.layout import TABLES
from tests.pipelines.commands.publish.conftest import REPO, Ran
from tests.pipelines.commands.publish.standin import TOKEN, Hub

Run = Callable[..., Ran]


@pytest.mark.slow
def test_load_dataset_reads_every_config_and_trl_trains_on_the_pairs(
    run: Run, hub: Hub, build: Path, tmp_path: Path
) -> None:
    tables = [name for name in TABLES if name not in ("reference", "sft_mix")]  # not in this lock
    assert run("--tables", *tables, "--private", "--tag", "v1").code == 0
    assert run("--checkpoint", "iter1", "--private").code == 0
    environment = os.environ | {
        "HF_ENDPOINT": hub.url,
        "HF_HUB_DISABLE_XET": "1",
        "HF_HOME": str(tmp_path / "cache"),
        "HF_TOKEN": TOKEN,
        "OMP_NUM_THREADS": "1",
        "TRL_EXPERIMENTAL_SILENCE": "1",
    }
    script = Path(__file__).with_name("read_back.py")
    ran = subprocess.run(
        [sys.executable, str(script), REPO, REPO, str(tmp_path / "out")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    told = json.loads(ran.stdout.splitlines()[-1])
    assert told["configs"] == {
        "pairs_iter1": {"train": 8},
        "prompts": {"train": 8, "test": 2},
        "generations_iter1": {"train": 16},
        "scores_iter1": {"train": 16},
        "history_iter1": {"train": 1},
        "mixes_mix1": {"train": 1},
        "preferences_hh_rlhf": {"train": 2},
        "preferences_shp": {"train": 2},
    }
    ours = pl.read_parquet(build / "data/iterations/iter1/pairs.parquet").row(0, named=True)
    assert told["first"] == ours
    assert told["losses"][0] == pytest.approx(0.6931, abs=1e-3)
    assert told["losses"][1] < told["losses"][0]


def test_croissant_is_valid_and_its_records_are_the_rows(
    run: Run, build: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "repository"
    tables = ("pairs", "prompts", "generations", "scores")
    assert run("--tables", *tables, "--dry-run", "--out", str(folder)).code == 0
    found = mlcroissant.Dataset(str(folder / "croissant.json"))
    assert found.metadata.issues.errors == set()
    assert found.metadata.license == ["apache-2.0"]
    names = {record.id for record in found.metadata.record_sets}
    assert "prompts/test-00000-of-00001" in names
    name = "pairs_iter1/train-00000-of-00001"
    records = list(found.records(name))
    rows = pl.read_parquet(build / "data/iterations/iter1/pairs.parquet").to_dicts()
    assert [one[f"{name}/pair_id"].decode() for one in records] == [r["pair_id"] for r in rows]
    texts = [one[f"{name}/chosen"][0][f"{name}/chosen/content"].decode() for one in records]
    assert texts == [row["chosen"][0]["content"] for row in rows]
    assert run("--tables", "pairs", "--dry-run", "--out", str(folder)).code == 2  # not empty
