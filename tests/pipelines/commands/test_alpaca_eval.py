"""The forms in which AlpacaEval annotations come, and what is wrong with some of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from curation.core.errors import UserError
from pipelines.commands import alpaca_eval

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
    rows, missing = alpaca_eval.read(
        written(tmp_path / "a.json", [NATIVE, {**NATIVE, "preference": None}]), None
    )
    assert missing == 1
    assert [(row.model, row.chars, row.baseline_chars) for row in rows] == [("tiny", 8, 17)]


def test_a_baseline_file_takes_the_place_of_output_1(tmp_path: Path) -> None:
    flat = {"instruction": "Why?", "generator": "tiny", "output": "No.", "preference": 0}
    baseline = written(tmp_path / "b.json", [{"instruction": "Why?", "output": "Because."}])
    rows, _ = alpaca_eval.read(written(tmp_path / "a.json", [flat]), baseline)
    assert (rows[0].preference, rows[0].baseline_chars) == (1.5, 8)


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
        alpaca_eval.read(path, None)


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
