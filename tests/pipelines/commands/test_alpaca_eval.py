"""The forms in which AlpacaEval annotations come, and what is wrong with some of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from curation.core.errors import UserError
from pipelines.commands import alpaca_eval
from pipelines.shared import alpaca_files
from training.bench.alpaca_eval import BASELINE

NATIVE = {
    "instruction": "Why?",
    "output_1": "Because it is so.",
    "generator_1": "gpt4_1106_preview",
    "output_2": "No idea.",
    "generator_2": "tiny",
    "preference": 1.25,
}


def written(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text(json.dumps(rows), "utf-8")
    return path


def test_the_native_form_carries_the_baselines_lengths(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", [NATIVE, {**NATIVE, "preference": None}])
    found = alpaca_files.load(path, None, BASELINE)
    assert (found.missing, found.judge) == (1, None)
    assert [(row.model, row.chars, row.baseline_chars) for row in found.rows] == [("tiny", 8, 17)]


def test_a_baseline_file_takes_the_place_of_output_1(tmp_path: Path) -> None:
    flat = {"instruction": "Why?", "generator": "tiny", "output": "No.", "preference": 0}
    baseline = written(tmp_path / "b.json", [{"instruction": "Why?", "output": "Because."}])
    (row,) = alpaca_files.load(written(tmp_path / "a.json", [flat]), baseline, BASELINE).rows
    assert (row.preference, row.baseline_chars) == (1.5, 8)


def test_the_baselines_own_rows_give_its_lengths(tmp_path: Path) -> None:
    flat = {"instruction": "Why?", "generator": "tiny", "output": "No.", "preference": 1.2}
    base = {"instruction": "Why?", "generator": BASELINE, "output": "Because.", "preference": 1.5}
    path = written(tmp_path / "a.json", [flat, base])
    assert [row.baseline_chars for row in alpaca_files.load(path, None, BASELINE).rows] == [8, 8]
    other = {**flat, "instruction": "How?"}
    path = written(tmp_path / "b.json", [flat, base, other])
    assert {row.baseline_chars for row in alpaca_files.load(path, None, BASELINE).rows} == {None}


def test_the_annotator_says_what_is_known_of_the_judge(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        {**NATIVE, "instruction": f"{n}", "output_2": "x" * (n % 7 + 12), "annotator": "mine"}
        for n in range(40)
    ]
    assert alpaca_eval.main([str(written(tmp_path / "a.json", rows))]) == 0
    told = capsys.readouterr().err
    assert "judge mine, its taste for length: nothing assumed" in told
    assert "40 rows of 1 model, slope" in told
    assert "the baseline's lengths are those of its own answers" in told
    assert alpaca_eval.main([str(tmp_path / "a.json"), "--judge-taste", "gpt4"]) == 0
    assert "taste for length: published: weighted GPT-4 turbo's" in capsys.readouterr().err


def test_two_judges_in_a_file_are_refused(tmp_path: Path) -> None:
    rows = [{**NATIVE, "annotator": "a"}, {**NATIVE, "annotator": "b"}]
    with pytest.raises(UserError, match="judged by a and b; give one judge's rows at a time"):
        alpaca_files.load(written(tmp_path / "a.json", rows), None, BASELINE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"preference": 3}, "row 1: preference 3 is not between 1 and 2"),
        ({"preference": "much"}, "row 1: preference 'much' is not between"),
        ({"output_2": None}, "row 1 lacks output_2"),
        ({"preference": None}, "no row has a preference"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path: Path, change: dict[str, object], message: str) -> None:
    path = written(tmp_path / "a.json", [{**NATIVE, **change}])
    with pytest.raises(UserError, match=message):
        alpaca_files.load(path, None, BASELINE)


def test_a_baseline_that_lacks_an_instruction_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path / "a.json", [NATIVE])
    other = written(tmp_path / "b.json", [{"instruction": "What?", "output": "That."}])
    assert alpaca_eval.main([str(path), "--baseline", str(other)]) == 2
    assert "the baseline did not answer 'Why?'" in capsys.readouterr().err


def test_the_leaderboard_file_has_alpaca_evals_columns(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", [NATIVE, {**NATIVE, "instruction": "How?"}])
    assert alpaca_eval.main([str(path), "--csv", str(tmp_path / "board.csv")]) == 0
    head, row = (tmp_path / "board.csv").read_text("utf-8").splitlines()
    assert head.startswith("model,win_rate,standard_error,n_wins,n_wins_base,n_draws,n_total")
    assert row.startswith("tiny,25.0,0.0,0,2,0,2,0.0,8.0,")
