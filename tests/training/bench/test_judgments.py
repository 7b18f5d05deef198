"""MT-Bench and Arena-Hard: the arithmetic of their judgment files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.commands import arena_hard, mt_bench
from training.bench import judgments


def game(score: str | None) -> dict[str, str | None]:
    return {"user_prompt": "...", "judgment": "...", "score": score}


def test_a_failed_rating_is_counted_and_never_averaged() -> None:
    rows = [
        {"question_id": question, "model": "m", "turn": turn, "score": score}
        for question, turn, score in ((81, 1, 8), (81, 2, 6), (82, 1, 4), (82, 2, -1))
    ]
    (found,) = judgments.mt_bench(rows)
    assert (found["score"], found["turn_1"], found["turn_2"]) == (6.0, 6.0, 6.0)
    assert (found["judgments"], found["failed"]) == (3, 1)


def test_the_model_is_b_in_the_first_game_and_a_in_the_second() -> None:
    rows = [
        {"model": "strong", "games": [game("B>>A"), game("A>>B")]},
        {"model": "strong", "games": [game("A=B"), game("A=B")]},
        {"model": "weak", "games": [game("A>B"), game("B>A")]},
        {"model": "weak", "games": [game(None), game("A>B")]},
        {"model": "biased", "games": [game("A>B"), game("A>B")]},
    ]
    board = {row["model"]: row for row in judgments.arena_hard(rows, 1)}
    assert board["strong"]["win_rate"] == pytest.approx(100 * 7 / 8)  # six wins and two halves
    assert (board["weak"]["win_rate"], board["weak"]["failed"]) == (pytest.approx(100 * 1 / 3), 1)
    assert board["biased"]["win_rate"] == 50.0  # always says A
    assert list(board) == ["strong", "biased", "weak"]
    for row in board.values():
        assert row["low"] <= row["win_rate"] <= row["high"]


def test_the_commands_read_json_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "judgments.jsonl"
    path.write_text(json.dumps({"model": "m", "games": [game("B>A"), game("A>B")]}) + "\n", "utf-8")
    assert arena_hard.main([str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["win_rate"] == 100.0
    assert mt_bench.main([str(path)]) == 2
    assert "row 1 lacks question_id, turn" in capsys.readouterr().err
