"""Tables are checked on the way in and whole or not at all on the way out."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from curation.core.errors import UserError
from curation.core.schema import REJECTS
from pipelines.core.io import (
    SCRATCH,
    Outputs,
    atomic,
    forget_torn,
    read,
    read_json,
    rounded,
    scan,
    scratch,
)


def _rejects(*ids: str) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "stage": ["s"] * len(ids),
            "item_id": list(ids),
            "source": ["x"] * len(ids),
            "rule": ["r"] * len(ids),
            "detail": [""] * len(ids),
            "payload": ["{}"] * len(ids),
        }
    )


def _write(path: Path, frame: pl.DataFrame) -> int:
    outputs = Outputs()
    rows = outputs.table(path, REJECTS, frame)
    outputs.commit()
    return rows


def test_rows_are_sorted_by_key_whatever_order_they_came_in(tmp_path: Path) -> None:
    one, other = tmp_path / "one.parquet", tmp_path / "other.parquet"
    assert _write(one, _rejects("b", "a", "c")) == 3
    _write(other, _rejects("c", "b", "a"))
    assert one.read_bytes() == other.read_bytes()
    assert read(one, REJECTS)["item_id"].to_list() == ["a", "b", "c"]


def test_nothing_is_visible_before_commit_and_nothing_stays_after_discard(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    _write(path, _rejects("old"))
    outputs = Outputs()
    outputs.table(path, REJECTS, _rejects("new"))
    assert read(path, REJECTS)["item_id"].to_list() == ["old"]
    outputs.discard()
    assert [file.name for file in tmp_path.iterdir()] == ["t.parquet"]


def test_a_null_where_none_may_be_is_refused(tmp_path: Path) -> None:
    frame = _rejects("a").with_columns(rule=pl.lit(None, pl.String))
    with pytest.raises(UserError, match="rule may not be null in rejects"):
        _write(tmp_path / "t.parquet", frame)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "no such file"),
        (lambda path: path.write_bytes(b"PAR1 half a file"), "not a readable Parquet file"),
        (lambda path: path.write_bytes(b""), "not a readable Parquet file"),
        (lambda path: _rejects("a").drop("rule").write_parquet(path), "lacks rule"),
        (
            lambda path: _rejects("a").with_columns(rule=pl.lit(1)).write_parquet(path),
            "column rule is Int32, but rejects wants String",
        ),
    ],
)
def test_a_bad_table_is_one_clear_line(tmp_path: Path, make, says: str) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "t.parquet"
    make(path)
    with pytest.raises(UserError, match=says) as caught:
        scan(path, REJECTS)
    assert "t.parquet" in str(caught.value)
    assert "\n" not in str(caught.value)


def _write_half(path: Path) -> None:
    with atomic(path) as temp:
        temp.write_text("half")
        raise RuntimeError


def test_atomic_leaves_the_old_file_when_the_writer_fails(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError):
        _write_half(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_json_is_rounded_and_sorted(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    outputs = Outputs()
    outputs.json(path, {"b": 0.1 + 0.2, "a": [float("nan"), 1]})
    outputs.commit()
    assert path.read_text() == '{\n  "a": [\n    null,\n    1\n  ],\n  "b": 0.3\n}\n'
    assert read_json(path) == {"a": [None, 1], "b": 0.3}


def test_rounding_reaches_into_containers() -> None:
    assert rounded({"x": (1 / 3, {"y": float("inf")})}) == {"x": [0.333333333, {"y": None}]}


@pytest.mark.parametrize("text", ["{", "[1]"])
def test_bad_json_is_one_clear_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "m.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"m\.json"):
        read_json(path)
    assert json.dumps(text)


def test_what_a_killed_run_has_left_is_removed(tmp_path: Path) -> None:
    mine = [tmp_path / ".t.parquet.ab12.tmp", tmp_path / ".dir.ab.tmp.old"]
    others = [tmp_path / ".tt.parquet.ab12.tmp", tmp_path / "t.parquet.x.tmp"]
    for path in (mine[0], *others):
        path.write_text("half")
    (mine[1] / "inner").mkdir(parents=True)
    forget_torn([tmp_path / "t.parquet", tmp_path / "dir"])
    assert sorted(tmp_path.iterdir()) == sorted(others)


def test_scratch_of_a_killed_run_is_removed_and_that_of_a_live_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    left = SCRATCH / "left"
    left.mkdir(parents=True)
    (left / "spill").write_text("rows")
    with scratch() as first, scratch() as second:
        assert not left.exists()
        assert first.is_dir()
        assert second.is_dir()
    assert not list(SCRATCH.iterdir())
