"""The gate of several tables: each has its verdict, one bad row of one of them stops the build."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from curation.audit import catalog
from curation.core.schema import REJECTS, SFT
from pipelines.stages import gate
from tests.curation.gates.rows import CONVERSATION, DROPPED, user

REPORT = Path("data/gates/source_sft.json")  # of sharegpt and gpteacher, the sources of the kind


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sample recipe and two sound tables: two rows and one dropped, three rows and none."""
    text = Path("recipes/sample.yaml").read_text("utf-8")
    (tmp_path / "params.yaml").write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    write("sharegpt", ["a", "b"], dropped=1)
    write("gpteacher", ["c", "d", "e"], dropped=0)
    return tmp_path


def write(name: str, ids: list[str], dropped: int, **change: Any) -> None:
    folder = Path("data/sources/sft") / name
    folder.mkdir(parents=True, exist_ok=True)
    rows = [{**CONVERSATION, "example_id": one, "source": name, **change} for one in ids]
    kept = [{key: row[key] for key in SFT.names} for row in rows]
    pl.DataFrame(kept, schema=SFT.polars).write_parquet(folder / "table.parquet")
    gone = [{**DROPPED, "item_id": str(number)} for number in range(dropped)]
    pl.DataFrame(gone, schema=REJECTS.polars).write_parquet(folder / "rejects.parquet")


def run(table_name: str = "source_sft") -> int:
    folder = "data/sources/sft/*"
    argv = ["--table-name", table_name, "--table", f"{folder}/table.parquet"]
    return gate.main(
        [*argv, "--view", f"rejects={folder}/rejects.parquet", "--report", str(REPORT)]
    )


def verdicts() -> dict[str, bool]:
    found = json.loads(REPORT.read_text("utf-8"))["tables"]
    return {name: one["passed"] for name, one in found.items()}


def test_each_table_has_its_verdict(build: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    assert "5 in, 5 kept, 0 rejected, source_sft: 16 checks hold" in capsys.readouterr().out
    report = json.loads(REPORT.read_text("utf-8"))
    assert report["passed"] is True
    assert {name: one["rows"] for name, one in report["tables"].items()} == {
        "gpteacher": 3,
        "sharegpt": 2,
    }
    rows = {(check.gate, check.rows) for check in catalog.checks(catalog.documents(Path("data")))}
    assert rows == {("gates/source_sft/gpteacher", 3), ("gates/source_sft/sharegpt", 2)}


def no_answer() -> None:
    write("sharegpt", ["a"], dropped=0, messages=user("Why?"))


def mostly_dropped() -> None:
    write("sharegpt", ["a"], dropped=2)  # 2 of 3 items, over the bound of a half


@pytest.mark.parametrize(
    ("breaks", "said"),
    [
        (no_answer, "ends_with_answer: 1 rows break it"),
        (mostly_dropped, "drop_rate: 1 rows break it"),
    ],
)
def test_one_bad_table_fails_and_is_named(
    build: Path, capsys: pytest.CaptureFixture[str], breaks: Callable[[], None], said: str
) -> None:
    breaks()
    assert run() == 2
    error = capsys.readouterr().err
    assert error.startswith(f"gate: data/sources/sft/sharegpt/table.parquet: {said}")
    assert error.endswith(f"; see {REPORT}\n")
    assert error.count("\n") == 1
    assert verdicts() == {"gpteacher": True, "sharegpt": False}


def test_how_many_more_tables_failed(build: Path, capsys: pytest.CaptureFixture[str]) -> None:
    no_answer()
    write("gpteacher", ["c"], dropped=2)
    assert run() == 2
    assert "; 1 more tables failed; see" in capsys.readouterr().err


def test_a_key_twice_is_named_in_the_report(
    build: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write("gpteacher", ["c", "c", "d"], dropped=0)
    assert run() == 2
    assert capsys.readouterr().err == (
        "gate: data/sources/sft/gpteacher/table.parquet: keys_unique: 1 rows break it (example_id "
        f"is unique), first example_id=c, copies=2; see {REPORT}\n"
    )
    checks = json.loads(REPORT.read_text("utf-8"))["tables"]["gpteacher"]["checks"]
    (found,) = (one for one in checks if one["name"] == "keys_unique")
    assert (found["violations"], found["examples"]) == (1, [{"example_id": "c", "copies": 2}])


def test_a_source_of_the_recipe_without_a_table_is_refused(
    build: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("data/sources/sft/sharegpt/table.parquet").unlink()
    assert run() == 2
    assert "data/sources/sft/sharegpt/table.parquet: no such file" in capsys.readouterr().err
    assert not REPORT.exists()


def test_what_another_recipe_left_there_is_not_read(build: Path) -> None:
    write("of_another", ["x", "x"], dropped=0)
    assert run() == 0
    assert set(verdicts()) == {"gpteacher", "sharegpt"}


def test_a_folder_of_no_known_names_is_refused(
    build: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("pairs") == 2
    assert "params.yaml names no pairs for *" in capsys.readouterr().err
