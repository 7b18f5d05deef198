"""Two versions of a table: what a set difference says, the diff says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from curation.audit.diff import compare
from curation.core import schema
from curation.core.errors import UserError
from tests.curation.audit.tiny import generation, pair, preference, write


def rows(numbers: range) -> list[dict[str, Any]]:
    return [
        pair(generation(n, 0, f"good answer {n}"), generation(n, 1, f"bad {n}"), n) for n in numbers
    ]


def turned(row: dict[str, Any]) -> dict[str, Any]:
    sides = {"chosen": row["rejected"], "rejected": row["chosen"], "margin": 0.25}
    return {**row, **sides, "pair_id": f"turned{row['pair_id'][6:]}"}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    write(tmp_path / "old.parquet", schema.PAIRS, rows(range(6)))
    return tmp_path / "old.parquet"


def test_added_removed_flipped(old: Path, tmp_path: Path) -> None:
    before = rows(range(6))
    after = [*before[:4], turned(before[4]), *rows(range(7, 9))]
    write(tmp_path / "new.parquet", schema.PAIRS, after)
    found = compare("pairs", [old], [tmp_path / "new.parquet"])
    assert found.counts == {"unchanged": 4, "added": 2, "removed": 1, "flipped": 1}
    assert [row["pair_id"] for row in found.examples["removed"]] == [before[5]["pair_id"]]
    assert found.groups[0]["margin_shift"] == pytest.approx((6 * 1.5 + 0.25) / 7 - 1.5, abs=1e-6)


def test_a_pair_that_leaves_one_of_two_mixes_is_removed(tmp_path: Path) -> None:
    one = [{**preference(n, "shp", f"good {n}", "bad"), "split": "train"} for n in range(3)]
    for build, kept in (("a", one), ("b", one[:2])):
        write(tmp_path / build / "mix1" / "mix.parquet", schema.MIXES, one)
        write(tmp_path / build / "mix2" / "mix.parquet", schema.MIXES, kept)
    sides = [sorted((tmp_path / build).glob("*/mix.parquet")) for build in "ab"]
    found = compare("mixes", *sides, apart=True)
    assert found.counts == {"unchanged": 5, "added": 0, "removed": 1, "flipped": 0}
    assert [(row["group"], row["removed"]) for row in found.groups] == [
        ("mix1 shp", 0),
        ("mix2 shp", 1),
    ]


def test_a_table_differs_from_itself_in_nothing(old: Path) -> None:
    found = compare("pairs", [old], [old])
    assert found.counts == {"unchanged": 6, "added": 0, "removed": 0, "flipped": 0}


def test_against_nothing_all_is_added(old: Path) -> None:
    assert compare("pairs", [], [old]).counts["added"] == 6


def test_the_wrong_table_is_named(old: Path) -> None:
    with pytest.raises(UserError, match=r"old\.parquet.*preferences"):
        compare("preferences", [old], [old])


def test_an_unknown_table_is_refused(old: Path) -> None:
    with pytest.raises(UserError, match="--table nonsense"):
        compare("nonsense", [old], [old])
