"""The matrix: its short form through the real stages, and that it sees what is wrong."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from benchmarks.matrix import checks, combinations, families, flow, page, running, templates
from benchmarks.matrix.packages import NotInstalledError
from benchmarks.matrix.plain import Plain
from benchmarks.matrix.running import Row
from training.core import environment

environment.prepare()
ROWS = {row.name: row for row in combinations.every()}
SPOILT = "gpt2 mamba"  # of the short form; its tables are kept, to be spoilt


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in combinations.SHORT if name != SPOILT])
def test_what_is_sampled_is_what_is_referenced_trained_on_and_scored(
    name: str, tmp_path: Path
) -> None:
    row = running.run(ROWS[name], tmp_path / "row")
    if row.verdict == "not installed":
        pytest.skip(row.says)
    assert row.expected, page.line(row)
    if row.verdict == "holds":
        assert row.seen["sampled"] >= 4
        assert row.seen["told"] == 8
        assert not (tmp_path / "row").exists()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One row's tables, its models and what they are compared with."""
    folder = tmp_path_factory.mktemp("matrix") / "row"
    folder.mkdir()
    with contextlib.chdir(folder):
        try:
            flow.publish(ROWS[SPOILT])
        except NotInstalledError as missing:
            pytest.skip(str(missing))
        flow.run()
    return folder


@pytest.fixture
def row(finished: Path, tmp_path: Path) -> Iterator[None]:
    """A copy of the finished row to spoil, as the current folder."""
    with contextlib.chdir(shutil.copytree(finished, tmp_path / "row")):
        yield


def spoil(name: str, *changes: pl.Expr) -> None:
    file = flow.SAMPLED / f"{name}.parquet"
    pl.read_parquet(file).with_columns(*changes).write_parquet(file)


@pytest.mark.slow
@pytest.mark.usefixtures("row")
def test_a_whole_row_holds_and_each_spoilt_table_is_seen() -> None:
    assert checks.check().judged() == []
    spoil("reference", pl.col("ref_chosen_logps") + 2e-4)
    spoil("scores", pl.col("reward") - 2e-4)
    for name, key in (("dpo", "loss"), ("evaluate", "kl")):
        file = flow.SAMPLED / f"{name}.json"
        told = json.loads(file.read_text())
        told[key] = {"mean": told[key]["mean"] + 1} if key == "kl" else told[key] + 1
        file.write_text(json.dumps(told))
    wrong = checks.check().judged()
    assert [line.partition(" differs")[0] for line in sorted(wrong)] == [
        *("KL", "first DPO loss - ln 2", "reward", "sampled log-prob", "text log-prob"),
    ]


@pytest.mark.slow
@pytest.mark.usefixtures("row")
def test_other_ids_than_were_sampled_are_seen() -> None:
    ids = pl.col("chosen_token_ids")
    spoil("history", ids.list.head(ids.list.len() - 1))
    assert "history has other ids of chosen than were sampled" in checks.check().judged()


@pytest.mark.slow
@pytest.mark.usefixtures("row")
def test_a_text_reads_as_its_conversation() -> None:
    plain = Plain(flow.START)
    asked = [{"role": "user", "content": "a"}]
    told = plain.tokenizer
    whole = told("user: aassistant: b c<|endoftext|>".replace("aa", "a<|endoftext|>a"))["input_ids"]
    prompt = plain.prompt(asked)
    assert prompt == told("user: a<|endoftext|>assistant:")["input_ids"]
    assert plain.answer(asked, "b c", cut=False) == (whole[len(prompt) :], True)
    assert plain.answer(asked, "b c", cut=True) == (whole[len(prompt) : -1], True)


def test_every_template_of_trl_is_in_a_family_and_a_row() -> None:
    names = templates.names_of_trl()
    assert {f"trl {name}" for name in names} <= set(ROWS)
    assert all(any(name.startswith(family) for family in families.FAMILIES) for name in names)
    assert len(ROWS) == len(combinations.every())
    assert set(combinations.SHORT) <= set(ROWS)


def test_the_page_tells_what_holds_what_is_refused_and_what_is_wrong() -> None:
    seen = {"sampled": 8, "cut": 5, "told": 8, "restated": 1}
    gaps = dict.fromkeys(page.GAPS, 2e-6)
    good = Row(
        "a llama", "a", "its own", "llama", "holds", "", {**seen, "gaps": gaps}, expected=True
    )
    bad = Row("b llama", "b", "its own", "llama", "refused", "base: no end", {}, {"p": "broken: x"})
    text = page.page([good, bad], 3)
    assert "| a llama | a | its own | llama | holds | 8 (5) | 8 (1) | 2e-06 |" in text
    assert "| **refused** |" in text
    assert "1. p\n   - broken: x (1 rows)" in text
    assert "2 of 3 rows" in text
    assert "Most rows" not in text
    good.code, bad.code = "1" * 24, "2" * 24
    assert "\n- code 22222222: `b llama`\n" in page.page([good, good, bad], 3)
    assert text.endswith("## Not as it should be\n\n- `b llama`, refused: base: no end\n")


def test_a_kept_row_is_of_its_code_and_a_report_takes_that_of_another(tmp_path: Path) -> None:
    file = tmp_path / "rows" / "a.json"
    assert running.kept(file, None) is None
    running.keep(file, "one", Row("a llama", "a", "its own", "llama", "holds", expected=True))
    assert running.kept(file, "one") == running.kept(file, None)
    assert running.kept(file, "two") is None
    assert (running.kept(file, None) or Row("", "", "", "")).code == "one"
