"""The exact-answer checker on literal solutions, and against the labels of real ones."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path

import pytest

from training.judges.exact_answer import final_number, reward

REAL = Path(__file__).resolve().parents[3] / "../shared/data/gsm8k_solutions"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("16 - 3 = <<16-3=13>>13\nA: 18", "18"),
        ("so\n#### 1,234", "1234"),
        (r"hence \boxed{\$3,000}", "3000"),
        ("The answer is: **12**.", "12"),
        ("The answer is 5 dollars. It took 7 steps.", "5"),
        ("#### 3\nno, wait\n#### -4", "-4"),
        ("She pays $5.50", "5.5"),
        ("that makes 42.", "42"),
        ("a share of .5", "0.5"),
        ("the list 1,2,3", "3"),
        ("I do not know", None),
        ("", None),
    ],
)
def test_the_number_a_solution_ends_with(text: str, number: str | None) -> None:
    assert final_number(text) == (None if number is None else Decimal(number))


def test_equal_numbers_written_otherwise_are_right() -> None:
    assert reward("q", "A: 1,000.00", "#### 1000") == 1.0
    assert reward("q", "A: 1,001", "#### 1000") == 0.0
    assert reward("q", "no idea", "#### 1000") == 0.0


def test_a_known_answer_without_a_number_is_no_verdict() -> None:
    with pytest.raises(ValueError, match="holds no number"):
        reward("q", "A: 3", "three")


def test_real_solutions_agree_with_their_labels() -> None:
    file = REAL / "example_model_solutions.jsonl.gz"
    if not file.is_file():
        pytest.skip("../shared/data/gsm8k_solutions is absent")
    agree, wrong = [], 0
    for line in gzip.decompress(file.read_bytes()).splitlines():
        row = json.loads(line)
        for solver in row.values():
            if isinstance(solver, dict):
                given = reward(row["question"], solver["solution"], row["ground_truth"])
                agree.append(given == float(solver["is_correct"]))
                wrong += not solver["is_correct"]
    assert len(agree) == 4 * 1319
    assert wrong > 1000  # both labels are there
    assert sum(agree) / len(agree) >= 0.99
