"""Files and tables are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from curation.core.errors import UserError
from curation.core.schema import REJECTS
from pipelines.core.io import read, read_json
from pipelines.core.outputs import Outputs, atomic, forget_torn, rounded


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


def test_what_a_killed_run_has_left_is_removed(tmp_path: Path) -> None:
    mine = [tmp_path / ".t.parquet.ab12.tmp", tmp_path / ".dir.ab.tmp.old"]
    others = [tmp_path / ".tt.parquet.ab12.tmp", tmp_path / "t.parquet.x.tmp"]
    for path in (mine[0], *others):
        path.write_text("half")
    (mine[1] / "inner").mkdir(parents=True)
    forget_torn([tmp_path / "t.parquet", tmp_path / "dir"])
    assert sorted(tmp_path.iterdir()) == sorted(others)
