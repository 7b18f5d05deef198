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


def test_parts_and_kind_stand_beside_the_reward(tmp_path: Path) -> None:
    (tmp_path / "oracle.py").write_text(
        "def verdict(prompt, response):\n"
        "    if response == 'odd':\n"
        "        return {'reward': 1}\n"
        "    return {'reward': 0, 'kind': 'bullets', 'parts': {'format': True, 'fact': False}}\n"
    )
    ask = [{"role": "user", "content": "q"}]
    fine, odd = Oracle(tmp_path, "verdict").judge([(ask, "a"), (ask, "odd")])
    assert (fine.reward, fine.kind, fine.parts) == (0.0, "bullets", {"format": 1.0, "fact": 0.0})
    assert odd.reward is None
    assert odd.reason == "oracle: returned the keys ['reward'], not ['kind', 'parts', 'reward']"


def test_a_folder_s_hash_is_of_all_its_files(tmp_path: Path) -> None:
    (tmp_path / "oracle.py").write_text(CODE)
    (tmp_path / "answers.jsonl").write_text("1")
    before = Oracle(tmp_path, "reward").sha
    (tmp_path / "__pycache__").mkdir(exist_ok=True)
    (tmp_path / "__pycache__" / "x.pyc").write_text("made by Python")
    assert Oracle(tmp_path, "reward").sha == before
    (tmp_path / "answers.jsonl").write_text("2")
    assert Oracle(tmp_path, "reward").sha != before
