"""prefloop sql, why, lineage and diff as a person types them."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import polars as pl
import pytest

from pipelines import cli
from pipelines.commands import diff, lineage, sql, why
from pipelines.shared import command_list
from tests.conftest import ROOT
from tests.curation.audit.tiny import write_build

PAIRS = "data/iterations/iter1/pairs.parquet"
Printed = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_build(tmp_path / "data")
    return tmp_path


def test_a_query_as_a_table(capsys: Printed) -> None:
    assert sql.main(["select iteration, margin from pairs"]) == 0
    assert capsys.readouterr().out == (
        "iteration  margin\n---------  ------\niter1         1.5\n(1 row)\n"
    )


def test_a_query_as_csv_and_json(capsys: Printed) -> None:
    sql.main(["select flags, margin from pairs", "--format", "csv"])
    assert capsys.readouterr().out == 'flags,margin\n"[""length_gap""]",1.5\n'
    sql.main(["select flags, margin from pairs", "--format", "json"])
    assert json.loads(capsys.readouterr().out) == [{"flags": ["length_gap"], "margin": 1.5}]


def test_out_by_its_suffix(here: Path) -> None:
    assert sql.main(["select 1 as n", "--out", "answer.parquet"]) == 0
    assert pl.read_parquet(here / "answer.parquet").rows() == [(1,)]


def test_a_query_from_a_file_and_by_name(here: Path, capsys: Printed) -> None:
    (here / "q.sql").write_text("select 7 as seven")
    assert sql.main(["-f", "q.sql"]) == 0
    assert sql.main(["-n", "most_rejected_rule"]) == 0
    printed = capsys.readouterr().out
    assert "seven" in printed
    assert "tie" in printed


def test_list_names_every_query(capsys: Printed) -> None:
    assert sql.main(["--list"]) == 0
    assert "most_rejected_rule" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        ([], "give one of"),
        (["select 1", "-n", "policies"], "give one of"),
        (["-f", "nowhere.sql"], "nowhere.sql"),
        (["select 1", "--format", "parquet"], "--out"),
        (["copy (select 1) to 'x'"], "read-only"),
        (["select 1", "--data", "nowhere"], "no such folder"),
    ],
)
def test_bad_input_is_one_line_and_2(argv: list[str], says: str, capsys: Printed) -> None:
    assert sql.main(argv) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_why_as_text_and_json(capsys: Printed) -> None:
    assert why.main(["sampled0"]) == 0
    assert "dpo@iter1" in capsys.readouterr().out
    assert why.main(["sampled0", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "pair"
    assert why.main(["deadbeef"]) == 2


def test_lineage_prints_and_draws(here: Path, capsys: Printed) -> None:
    recipe = str(ROOT / "recipes" / "sample.yaml")
    assert lineage.main(["iter1", "--params", recipe, "--svg", "line.svg"]) == 0
    assert "responses of iter1" in capsys.readouterr().out
    assert (here / "line.svg").read_text().startswith("<svg")


def test_diff_of_two_files_as_json(here: Path, capsys: Printed) -> None:
    old = here / "data" / "iterations" / "iter1" / "pairs.parquet"
    pl.read_parquet(old).with_columns(pair_id=pl.lit("another")).write_parquet("new.parquet")
    assert diff.main([str(old), "new.parquet", "--json"]) == 0
    counts = json.loads(capsys.readouterr().out)["counts"]
    assert counts == {"unchanged": 0, "added": 1, "removed": 1, "flipped": 0}


def test_diff_of_a_git_revision_through_the_cache(here: Path, capsys: Printed) -> None:
    """A pairs table is tracked, committed and changed: the diff names the change."""
    dvc = [sys.executable, "-m", "dvc"]
    commands = [
        ["git", "init", "-q"],
        [*dvc, "init", "-q"],
        [*dvc, "stage", "add", "-q", "-n", "pair", "-o", PAIRS, "cp", "made.parquet", PAIRS],
    ]
    table = here / "data" / "iterations" / "iter1" / "pairs.parquet"
    table.rename(here / "made.parquet")
    author = ["-c", "user.name=t", "-c", "user.email=t@example.invalid"]
    commands += [
        [*dvc, "repro", "-q"],
        ["git", "add", "dvc.yaml", "dvc.lock", ".dvc"],
        ["git", *author, "commit", "-qm", "build"],
    ]
    for command in commands:
        subprocess.run(command, check=True, cwd=here)
    frame = pl.read_parquet(table)
    table.unlink()
    frame.head(0).write_parquet(table)
    assert diff.main(["HEAD"]) == 0
    assert "0 unchanged, 0 added, 1 removed, 0 flipped" in capsys.readouterr().out


@pytest.mark.parametrize("side", ["nosuchrevision", "--upload-pack=x", "data/checkpoints"])
def test_diff_of_nothing_is_one_line(side: str, capsys: Printed) -> None:
    assert diff.main(["--", side]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_prefloop_alone_lists_the_commands_by_task(capsys: Printed) -> None:
    assert cli.main([]) == 0
    printed = capsys.readouterr().out
    assert "ask a build:\n  diff " in printed
    assert all(f"\n  {one.name} " in printed for one in command_list.listed())
    assert all(find_spec(one.module) for one in command_list.listed())
