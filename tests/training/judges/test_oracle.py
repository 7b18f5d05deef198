from __future__ import annotations

from pathlib import Path

import pytest

from curation.core.errors import UserError
from training.judges.oracle import Oracle

CODE = """
def reward(prompt, response):
    if prompt == "odd":
        raise ValueError("not a prompt of mine")
    return float("nan") if response == "nan" else float(len(response))
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "oracle.py"
    path.write_text(CODE)
    return path


def test_it_reads_the_last_user_message(file: Path) -> None:
    dialogue = [
        {"role": "user", "content": "odd"},
        {"role": "assistant", "content": "x"},
        {"role": "user", "content": "fine"},
    ]
    assert Oracle(file, "reward").judge([(dialogue, "abc")])[0].reward == 3.0


def test_failures_are_null_with_a_reason(file: Path) -> None:
    judged = Oracle(file, "reward").judge(
        [([{"role": "user", "content": "odd"}], "a"), ([{"role": "user", "content": "b"}], "nan")]
    )
    assert [verdict.reward for verdict in judged] == [None, None]
    assert judged[0].reason == "oracle: not a prompt of mine"
    assert judged[1].reason == "oracle: nan"


def test_a_missing_function_is_named(file: Path) -> None:
    with pytest.raises(UserError, match="no function named score"):
        Oracle(file, "score")
