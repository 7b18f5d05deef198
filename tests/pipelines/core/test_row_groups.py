"""Tables written a row group at a time: every reader gives the rows back, whatever they hold."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest

from curation.core import schema
from curation.core.errors import UserError
from pipelines.core import io
from pipelines.core.outputs import Outputs
from pipelines.core.row_groups import RowGroups

SAID = pl.List(pl.Struct({"role": pl.String, "content": pl.String}))


def frame(start: int, rows: int) -> pl.DataFrame:
    numbers = range(start, start + rows)
    return pl.DataFrame(
        {
            "id": [f"{n:06d}" for n in numbers],
            "said": [[{"role": "user", "content": "é" * (n % 7)}] * (n % 3) for n in numbers],
            "score": [None if n % 2 else n / 3 for n in numbers],
            "same": ["x"] * rows,
        },
        schema={"id": pl.String, "said": SAID, "score": pl.Float64, "same": pl.String},
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "t.parquet"
    with RowGroups(path) as groups:
        for start, rows in ((0, 1000), (1000, 1), (1001, 499)):
            groups.add(frame(start, rows))
    return path


def test_polars_arrow_and_duckdb_read_the_rows_in_order(file: Path) -> None:
    whole = frame(0, 1500)
    assert pl.read_parquet(file).equals(whole)
    assert pl.scan_parquet(file).slice(990, 40).collect().equals(whole.slice(990, 40))
    assert pl.scan_parquet(file).filter(pl.col("id") == "001200").collect().height == 1
    assert pl.DataFrame(pl.from_arrow(pq.read_table(file))).equals(whole)
    found = duckdb.execute("select id, score from read_parquet(?)", [str(file)]).fetchall()
    assert found == whole.select("id", "score").rows()


def test_arrow_sees_the_groups_with_their_rows_and_places(file: Path) -> None:
    parquet = pq.ParquetFile(file)
    assert [parquet.metadata.row_group(n).num_rows for n in range(3)] == [1000, 1, 499]
    assert parquet.read_row_group(2)["id"][0].as_py() == "001001"
    starts = [parquet.metadata.row_group(n).column(0).data_page_offset for n in range(3)]
    assert 4 <= starts[0] < starts[1] < starts[2] < file.stat().st_size


def test_only_columns_whose_values_repeat_have_a_dictionary(file: Path) -> None:
    group = pq.ParquetFile(file).metadata.row_group(0)
    columns = [group.column(place) for place in range(group.num_columns)]
    found = {one.path_in_schema for one in columns if one.has_dictionary_page}
    assert found == {"said.list.element.role", "said.list.element.content", "same"}


def test_a_flipped_bit_is_found_by_the_checksum_of_its_page(tmp_path: Path, file: Path) -> None:
    raw = bytearray(file.read_bytes())
    column = pq.ParquetFile(file).metadata.row_group(0).column(0)
    raw[column.data_page_offset + column.total_compressed_size // 2] ^= 1
    torn = tmp_path / "torn.parquet"
    torn.write_bytes(raw)
    with pytest.raises(OSError, match=r"(?i)crc|checksum"):
        pq.read_table(torn, page_checksum_verification=True)
    assert pq.read_table(file, page_checksum_verification=True).num_rows == 1500


def test_the_same_rows_are_the_same_bytes(tmp_path: Path) -> None:
    paths = tmp_path / "a", tmp_path / "b"
    for path in paths:
        with RowGroups(path) as groups:
            groups.add(frame(0, 900))
            groups.add(frame(900, 100))
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_groups_of_other_columns_are_refused(tmp_path: Path) -> None:
    def write() -> None:
        with RowGroups(tmp_path / "t") as groups:
            groups.add(frame(0, 3))
            groups.add(frame(3, 3).rename({"same": "other"}))

    with pytest.raises(ValueError, match="schema"):
        write()


def test_a_forbidden_null_or_a_fault_on_the_way_leaves_the_old_table(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    row = dict.fromkeys(schema.REJECTS.names, "x")
    good = pl.DataFrame([row], schema=schema.REJECTS.polars)
    outputs = Outputs()
    assert outputs.parts(path, schema.REJECTS, [good]) == 1
    outputs.commit()
    before = path.read_bytes()
    bad = pl.DataFrame([{**row, "rule": None}], schema=schema.REJECTS.polars)
    for frames in ([bad], [good, good.with_columns(item_id=pl.lit("a"))]):
        with pytest.raises((UserError, AssertionError)):
            outputs.parts(path, schema.REJECTS, frames)
        outputs.discard()
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_no_row_gives_a_table_without_rows(tmp_path: Path) -> None:
    outputs = Outputs()
    assert outputs.parts(tmp_path / "t.parquet", schema.REJECTS, []) == 0
    outputs.commit()
    assert io.read(tmp_path / "t.parquet", schema.REJECTS).is_empty()
