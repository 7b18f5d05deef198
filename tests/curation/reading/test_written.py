"""Lists of turns and answers, as text or as lists."""

from __future__ import annotations

from typing import Any

import pytest

from curation.reading import written
from curation.reading.readers import Bad, Row


def read(row: Row) -> Row | Bad:
    return written.read(row, written.columns([row]))


def said(*texts: str) -> list[dict[str, str]]:
    return [{"role": ("user", "assistant")[i % 2], "content": t} for i, t in enumerate(texts)]


@pytest.mark.parametrize("text", [str, lambda value: value])
def test_turns_of_arena_become_one_conversation(text: Any) -> None:
    row = {"prompt": text(["a", "c"]), "response_a": text(["b", "x"]), "response_b": ["b", "y"]}
    assert read(row) == {"prompt": said("a", "b", "c"), "response_a": "x", "response_b": "y"}


def test_an_answer_in_a_list_is_the_answer_to_the_prompt_beside_it() -> None:
    row = {"prompt": "q", "chosen": ["g"], "rejected": '["b"]'}
    assert read(row) == {"prompt": "q", "chosen": "g", "rejected": "b"}


def test_several_answers_are_not_one() -> None:
    bad = read({"prompt": "q", "chosen": ["g"], "rejected": ["b", "c"]})
    assert isinstance(bad, Bad)
    assert (bad.rule, bad.detail) == ("wrong_type", "rejected: 2 texts, not one")


def test_lists_of_texts_in_other_columns_are_no_turns() -> None:
    row = {"instruction": "q", "models": '["a", "b"]', "correct_answers": ["x"]}
    assert read(row) == row
