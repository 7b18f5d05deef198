"""Gates: every check passes on sound rows and finds the one row that breaks it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from curation.core.errors import UserError
from curation.core.schema import PREFERENCES, REJECTS, Table
from curation.gates import locked_duckdb
from curation.gates.folders import folders_of
from curation.gates.sql_checks import TABLES, checks_of, complaint
from tests.curation.gates.broken import BROKEN, TWICE
from tests.curation.gates.rows import (
    ALL_VIEWS,
    CONVERSATION,
    DROPPED,
    PREFERENCE,
    PROMPT,
    REJECTED,
    SOUND,
    Views,
    failed,
    report,
    user,
)


@pytest.mark.parametrize("name", list(TABLES))
def test_sound_rows_pass_every_check(tmp_path: Path, name: str) -> None:
    rows, views = SOUND[name]
    found = report(tmp_path, name, rows, views)
    assert failed(found) == set()
    assert found["passed"]
    assert found["rows"] == len(rows)


@pytest.mark.parametrize(("name", "check", "change"), BROKEN)
def test_a_broken_row_is_found(
    tmp_path: Path, name: str, check: str, change: dict[str, Any]
) -> None:
    rows, views = SOUND[name]
    found = report(tmp_path, name, [{**rows[0], **change}, *rows[1:]], views)
    assert check in failed(found)
    assert not found["passed"]
    assert check in complaint({**found, "checks": [c for c in found["checks"]
                                                    if c["name"] == check]})  # fmt: skip


@pytest.mark.parametrize(("name", "check", "change"), TWICE)
def test_a_second_row_that_clashes_is_found(
    tmp_path: Path, name: str, check: str, change: dict[str, Any]
) -> None:
    rows, views = SOUND[name]
    more = [{**rows[0], **change}]
    if check == "splits_by_bucket":
        more.append({**PROMPT, "prompt_id": "t", "messages": user("T?"), "bucket": 0.92})
    assert check in failed(report(tmp_path, name, [*rows, *more], views))


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"payload": "{cut"}, "ledger_complete"),
        ({"rule": ""}, "ledger_complete"),
    ],
)
def test_a_bad_ledger_is_found(tmp_path: Path, change: dict[str, Any], check: str) -> None:
    views: Views = {"rejects": (REJECTS, [{**DROPPED, **change}])}
    assert check in failed(report(tmp_path, "source_preference", [PREFERENCE], views))


def test_an_item_dropped_twice_is_found(tmp_path: Path) -> None:
    views: Views = {"rejects": (REJECTS, [DROPPED, DROPPED])}
    found = failed(report(tmp_path, "source_preference", [PREFERENCE], views))
    assert found == {"ledger_keys_unique", "drop_rate"}


def test_counts_that_do_not_balance_are_found(tmp_path: Path) -> None:
    rows, views = SOUND["mixes"]
    sound = {"rows_in": 2.0, "kept": 1.0, "rejected": 1.0}
    assert failed(report(tmp_path, "mixes", rows, views, **sound)) == set()
    lost = {**sound, "rows_in": 3.0}
    assert failed(report(tmp_path, "mixes", rows, views, **lost)) == {"counts_balance"}
    rows, views = SOUND["generations"]
    assert failed(report(tmp_path, "generations", rows, views, rows_in=3.0)) == {"counts_agree"}
    rows, views = SOUND["pairs"]
    assert failed(report(tmp_path, "pairs", rows, views, pairs=2.0)) == {"counts_agree"}
    assert failed(report(tmp_path, "pairs", rows, views, tie_rate=0.9)) == {"tie_rate"}


def test_a_native_row_that_vanished_is_found(tmp_path: Path) -> None:
    native = Table("native", "One raw row.", ("source_row",), (PREFERENCES.columns[3],))
    dropped: Views = {"rejects": (REJECTS, [{**DROPPED, "item_id": "toy:2:0"}])}
    for rows, expected in ((["1", "2"], set()), (["1", "2", "3"], {"native_accounted"})):
        views: Views = dropped | {"native": (native, [{"source_row": row} for row in rows])}
        assert failed(report(tmp_path, "source_preference", [PREFERENCE], views)) == expected


def test_an_empty_table_is_found(tmp_path: Path) -> None:
    assert "not_empty" in failed(report(tmp_path, "source_sft", [], REJECTED))


def test_nulls_are_found(tmp_path: Path) -> None:
    found = report(tmp_path, "source_sft", [{**CONVERSATION, "license": None}], REJECTED)
    assert failed(found) == {"no_nulls"}
    assert complaint(found).startswith("no_nulls: 1 rows break it")
    assert "example_id=e" in complaint(found)


def test_a_check_that_lacks_its_view_is_an_error() -> None:
    with pytest.raises(UserError, match=r"pairs: check .* reads .*; give it with --view"):
        checks_of("pairs", ["rejects"])


def test_an_unknown_table_is_an_error() -> None:
    with pytest.raises(UserError, match="--table-name nothing: unknown"):
        checks_of("nothing", [])


def test_no_check_stands_twice_and_every_folder_is_of_some_table(root: Path) -> None:
    files = list((root / "curation" / "gates" / "checks").rglob("*.sql"))
    texts = [file.read_text() for file in files]
    assert len(set(texts)) == len(texts)
    used = {folder for name in TABLES for folder in folders_of(name)}
    assert {file.parent.name for file in files} == used


@pytest.mark.parametrize("name", list(TABLES))
def test_every_check_has_a_sentence_and_is_short(root: Path, name: str) -> None:
    for folder in folders_of(name):
        for file in (root / "curation" / "gates" / "checks" / folder).glob("*.sql"):
            lines = file.read_text().splitlines()
            assert lines[0].startswith("-- "), file
            assert lines[0].endswith("."), file
            assert len(lines) <= 60, file
            assert max(map(len, lines)) <= 80, file


def test_every_check_of_every_table_is_proven_to_fail() -> None:
    proven = {(name, check) for name, check, _ in [*BROKEN, *TWICE]}
    elsewhere = {
        "not_empty", "no_nulls", "keys_unique", "drop_rate", "ledger_complete",
        "ledger_keys_unique", "counts_balance", "counts_agree", "tie_rate", "native_accounted",
    }  # fmt: skip
    twins = {check for _, check in proven} | elsewhere
    for name in TABLES:
        assert {check.name for check in checks_of(name, ALL_VIEWS)} <= twins


def test_the_connection_reads_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "it's.parquet"
    other = tmp_path / "other.parquet"
    for file in (path, other):
        pl.DataFrame({"a": [1]}).write_parquet(file)
    connection = locked_duckdb.connect({"this": [str(path)]}, {}, {})
    assert connection.execute("select a from this").fetchall() == [(1,)]
    for query in (f"select * from '{other}'", "install httpfs", "set enable_external_access=true"):
        with pytest.raises(Exception, match=r"disabled|locked|lock"):
            connection.execute(query)


def test_a_view_name_is_an_identifier() -> None:
    with pytest.raises(UserError, match="a view's name"):
        locked_duckdb.connect({'x"; drop': []}, {}, {})
