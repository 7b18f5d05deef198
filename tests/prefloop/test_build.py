"""The Python door on the tiny build: lazy tables, SQL, the life of a row, pairing of frames."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import prefloop as pf
from curation.core.errors import UserError
from curation.core.schema import PAIRS
from tests.conftest import ROOT
from tests.curation.audit.tiny import write_build

PAIR = f"sampled{1:017d}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("door")
    write_build(made / "data")
    shutil.copyfile(ROOT / "recipes/sample.yaml", made / "params.yaml")
    shutil.copyfile(ROOT / "dvc.yaml", made / "dvc.yaml")
    return made


def test_a_build_is_found_from_a_folder_below(folder: Path) -> None:
    assert pf.open(folder / "data" / "prompts").root == folder
    with pytest.raises(UserError, match="no project here or above"):
        pf.open("/")


def test_tables_are_lazy_and_know_their_columns(folder: Path) -> None:
    build = pf.open(folder)
    pairs = build.pairs("iter1")
    assert isinstance(pairs, pl.LazyFrame)
    assert pairs.select("pair_id", "margin").collect().rows() == [(PAIR, 1.5)]
    assert pairs.collect_schema().names() == PAIRS.names
    assert build.schema("pairs") is PAIRS
    assert build.generations().collect().height == 4
    assert build.mixes("mix1").collect().height == 1
    assert sorted(build.rejects().collect()["rule"]) == ["duplicate", "tie", "tie", "tie"]
    assert {"pairs", "prompts", "scores"} <= set(build.tables())
    assert "sft_mix" not in build.tables()


def test_what_is_not_there_names_what_is(folder: Path) -> None:
    build = pf.open(folder)
    with pytest.raises(UserError, match="pairs: no part iter7; did you mean iter1"):
        build.pairs("iter7")
    with pytest.raises(UserError, match="pair: no such table; did you mean pairs"):
        build.table("pair")


def test_it_answers_as_the_commands_do(folder: Path) -> None:
    build = pf.open(folder)
    found = build.sql("select rule, count(*) as n from rejects group by rule order by rule")
    assert found.rows() == [("duplicate", 1), ("tie", 3)]
    life = build.why(PAIR)
    assert (life.kind, life.id) == ("pair", PAIR)
    changes = build.what_if("iter1", length_penalty=-1.0)["changes"]  # longer is better
    assert changes == {"kept": 0, "flipped": 1, "added": 0, "dropped": 0}
    with pytest.raises(UserError, match="strategy"):
        build.what_if("iter1", strategy="nonsense")


def test_frames_of_ones_own_are_paired(folder: Path) -> None:
    build = pf.open(folder)
    made = pf.pair(build.generations("iter1"), build.scores("iter1"), build.prompts(), "mine")
    assert made.pairs.select("iteration", "margin").rows() == [("mine", 1.5)]
    with pytest.raises(TypeError, match="strategi"):
        pf.pair(build.generations(), build.scores(), build.prompts(), strategi="random")


def test_the_import_alone_brings_no_table_library() -> None:
    code = "import prefloop, sys; assert not {'polars', 'fcntl', 'pipelines'} & {*sys.modules}"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
