"""Tables and JSON files are checked on the way in."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from curation.core.errors import UserError
from curation.core.schema import REJECTS
from pipelines.core.io import read_json, scan


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


@pytest.mark.parametrize("text", ["{", "[1]"])
def test_bad_json_is_one_clear_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "m.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"m\.json"):
        read_json(path)
    assert json.dumps(text)
