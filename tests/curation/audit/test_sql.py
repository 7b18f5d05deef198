"""SQL over a build: answers, the shipped queries, and every way out of the build refused."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pytest

from curation.audit import sql
from curation.audit.connect import open_build
from curation.core.errors import UserError

Connection = duckdb.DuckDBPyConnection
VIEWS = [
    "sources",
    "preferences",
    "rejects",
    "mixes",
    "prompts",
    "generations",
    "scores",
    "pairs",
    "history",
    "reference",
    "checks",
    "metrics",
    "lengths",
]
NAMES = [query.name for query in sql.shipped()]


def test_counts_by_rule(full: Connection) -> None:
    found = sql.answer(full, "select rule, count(*) as n from rejects group by rule order by rule")
    assert found.rows() == [("duplicate", 1), ("tie", 3)]


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_exists_on_both_builds(full: Connection, none: Connection, view: str) -> None:
    found = sql.answer(full, f"select * from {view}")
    nothing = sql.answer(none, f"select * from {view}")
    assert found.height > 0
    assert nothing.height == 0
    assert found.columns == nothing.columns


def test_at_least_25_queries_each_with_a_sentence() -> None:
    assert len(NAMES) >= 25
    assert all(query.sentence.endswith((".", "?")) for query in sql.shipped())


@pytest.mark.parametrize("name", NAMES)
def test_shipped_query_runs(full: Connection, none: Connection, name: str) -> None:
    text = sql.named(name).text
    assert sql.answer(full, text).columns == sql.answer(none, text).columns


def test_policies_measures_wins_and_ties(full: Connection) -> None:
    rows = sql.answer(full, sql.named("policies").text).to_dicts()
    by_name = {row["policy"]: row for row in rows}
    assert by_name["sft"]["oracle_reward"] == 0.5
    assert by_name["sft"]["win_rate"] is None
    assert by_name["iter1"]["oracle_reward"] == 1.0
    assert by_name["iter1"]["win_rate"] == 0.75
    assert by_name["iter1"]["model_reward"] == 0.25


def test_a_second_judge_counts_no_response_twice(build: Path) -> None:
    """Means over judges: the second judge gives each response one more."""
    file = build / "iterations" / "iter1" / "scores.parquet"
    first = pl.read_parquet(file)
    second = first.with_columns(judge=pl.lit("second"), reward=pl.col("reward") + 1)
    query = sql.named("iterations").text
    before = sql.run(build, query).row(0, named=True)
    pl.concat([first, second]).sort("generation_id", "judge").write_parquet(file)
    after = sql.run(build, query).row(0, named=True)
    moved = {"reward": before["reward"] + 0.5, "best_of_n": before["best_of_n"] + 0.5}
    assert after == before | moved


def test_waterfall_balances(full: Connection) -> None:
    rows = sql.answer(full, sql.named("waterfall").text).to_dicts()
    mix = next(row for row in rows if row["stage"] == "mix@mix1")
    assert (mix["entered"], mix["rule"], mix["dropped"], mix["kept"]) == (2, "duplicate", 1, 1)


@pytest.mark.parametrize(
    "query",
    [
        "copy (select 1) to 'out.csv'",
        "create table t (a int)",
        "insert into _checks select * from _checks",
        "drop view pairs",
        "attach 'other.db'",
        "install httpfs",
        "load httpfs",
        "set threads = 1",
        "reset lock_configuration",
        "pragma database_size",
        "call duckdb_tables()",
        "explain analyze copy (select 1) to 'out.csv'",
        "export database 'folder'",
        "select 1; select 2",
        "",
        "-- only a comment",
    ],
)
def test_anything_but_one_select_is_refused(full: Connection, query: str) -> None:
    with pytest.raises(UserError, match="SELECT"):
        sql.answer(full, query)
    assert not Path("out.csv").exists()


@pytest.mark.parametrize(
    "query",
    [
        "select * from read_text('/etc/hostname')",
        "select * from read_csv('/etc/hostname')",
        "select * from glob('/etc/*')",
        "select * from '/etc/hostname'",
        "select * from read_parquet('https://example.invalid/x.parquet')",
        "select * from query('copy (select 1) to ''out.csv''')",
    ],
)
def test_a_query_cannot_leave_the_build(full: Connection, query: str) -> None:
    with pytest.raises(UserError):
        sql.answer(full, query)


def test_a_file_of_the_build_that_is_no_table_stays_closed(build: Path) -> None:
    (build / "secret.txt").write_text("x")
    with pytest.raises(UserError, match="disabled by configuration"):
        sql.run(build, f"select * from read_text('{build}/secret.txt')")


def test_a_quote_in_the_folder_name_is_no_injection(tmp_path: Path, build: Path) -> None:
    odd = tmp_path / "it's"
    build.rename(odd)
    assert sql.run(odd, "select count(*) as n from pairs").item() == 1


def test_sums_are_integers(full: Connection) -> None:
    assert sql.answer(full, "select sum(n_chars) as n from generations").schema["n"] == pl.Int64


def test_a_wrong_column_names_itself_in_one_line(full: Connection) -> None:
    with pytest.raises(UserError, match="marginn") as caught:
        sql.answer(full, "select marginn from pairs")
    assert "\n" not in str(caught.value)


def test_an_unreadable_table_is_named(build: Path) -> None:
    broken = build / "iterations" / "iter1" / "pairs.parquet"
    broken.write_bytes(b"PAR1 cut short")
    with pytest.raises(UserError, match=r"iter1/pairs\.parquet.*pairs"):
        open_build(build)


def test_a_missing_build_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such folder"):
        sql.run(tmp_path / "nowhere", "select 1")


def test_an_unknown_query_name_is_refused() -> None:
    with pytest.raises(UserError, match="nonsense"):
        sql.named("nonsense")


def test_export_holds_every_view(build: Path, tmp_path: Path) -> None:
    target = tmp_path / "audit.duckdb"
    names = sql.export(build, target)
    assert set(VIEWS) <= set(names)
    with duckdb.connect(str(target), read_only=True) as con:
        assert con.execute("select count(*) from rejects").fetchone() == (4,)
