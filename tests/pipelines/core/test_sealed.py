"""A table's file with one changed bit, cut short or with a key twice is never read."""

from __future__ import annotations

import random
from pathlib import Path

import polars as pl
import pytest

from curation.core.errors import UserError
from curation.core.schema import Column, Table
from pipelines.core import io, sealed
from pipelines.core.outputs import Outputs

TABLE = Table(
    "things", "A row is a thing.", ("name", "part"),
    (Column("name", pl.String, "Name."), Column("part", pl.Int64, "Part."),
     Column("text", pl.String, "Text.")),
)  # fmt: skip


def frame(rows: int) -> pl.DataFrame:
    numbers = range(rows)
    return pl.DataFrame(
        {
            "name": [f"{n // 3:05d}" for n in numbers],
            "part": [n % 3 for n in numbers],
            "text": [f"row {n * 7919}" for n in numbers],
        }
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    outputs, path = Outputs(), tmp_path / "things.parquet"
    outputs.table(path, TABLE, frame(900))
    outputs.commit()
    return path


def test_a_table_of_ours_is_vouched_for_and_read(file: Path) -> None:
    facts = pl.read_parquet_metadata(file)
    assert facts[sealed.KEY] == "name,part"
    assert len(facts[sealed.DIGEST]) == 32
    assert facts[sealed.DIGEST] != sealed.NONE
    assert io.read(file, TABLE).equals(frame(900))


def test_no_flipped_bit_is_read(file: Path) -> None:
    whole, draw = file.read_bytes(), random.Random(4)
    said: list[str] = []
    for at in [0, len(whole) - 1, *(draw.randrange(len(whole)) for _ in range(400))]:
        torn = bytearray(whole)
        torn[at] ^= 1 << draw.randrange(8)
        file.write_bytes(torn)
        sealed._good.clear()
        try:
            assert io.read(file, TABLE).equals(frame(900))  # the bit was of the digest's name
        except UserError as error:
            said.append(str(error))
    assert len(said) >= 395
    assert all(str(file) in line and "dvc" in line for line in said)


def test_a_file_cut_short_or_put_together_of_two_is_not_read(file: Path) -> None:
    whole = file.read_bytes()
    for torn in (whole[:-1], whole[: len(whole) // 2], whole[:4] + whole, b"", b"PAR1PAR1"):
        file.write_bytes(torn)
        with pytest.raises(UserError, match=r"dvc"):
            io.read(file, TABLE)


def test_pages_of_another_writers_file_are_looked_at(tmp_path: Path) -> None:
    from pyarrow import parquet

    path = tmp_path / "theirs.parquet"
    parquet.write_table(frame(900).to_arrow(), path, write_page_checksum=True, compression="none")
    assert io.read(path, TABLE).height == 900
    torn = bytearray(path.read_bytes())
    at = torn.index(b"row 7919")
    torn[at] ^= 1
    path.write_bytes(torn)
    with pytest.raises(UserError, match="cannot be read whole"):
        io.read(path, TABLE)


@pytest.mark.parametrize("ours", [True, False])
def test_a_key_twice_is_refused_by_name(tmp_path: Path, ours: bool) -> None:
    rows = pl.concat([frame(9), frame(2)])
    path = tmp_path / "twice.parquet"
    if ours:
        outputs = Outputs()
        outputs.table(path, TABLE, rows)
        outputs.commit()
        assert sealed.KEY not in pl.read_parquet_metadata(path)
    else:
        rows.write_parquet(path)
    with pytest.raises(UserError, match=r"name 00000, part 0 occurs twice"):
        io.read(path, TABLE)


def test_rows_out_of_order_with_a_key_each_are_read(tmp_path: Path) -> None:
    path = tmp_path / "mixed.parquet"
    frame(9).reverse().write_parquet(path)
    assert io.read(path, TABLE).height == 9


def test_a_file_is_looked_at_again_once_it_has_changed(file: Path) -> None:
    io.read(file, TABLE)
    pl.concat([frame(3), frame(3)]).write_parquet(file)
    with pytest.raises(UserError, match="occurs twice"):
        io.read(file, TABLE)
