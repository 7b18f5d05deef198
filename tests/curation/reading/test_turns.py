"""One message or exchange in every form that people publish."""

from __future__ import annotations

from typing import Any

import pytest

from curation.reading.turns import exchange, is_turn, turn


@pytest.mark.parametrize(
    "message",
    [
        {"role": "user", "content": "Hi"},
        {"from": "user", "value": "Hi"},
        {"user": "Hi"},
        {"user": "Hi", "assistant": None},
        {"role": "user", "content": [{"type": "text", "text": "H"}, {"text": "i"}]},
        {"role": "user", "content": {"type": "text", "text": "Hi"}},
        {"role": "user", "content": {"content_type": "text", "parts": ["Hi"]}},
        {"role": "user", "parts": [{"text": "Hi"}]},
    ],
)
def test_a_message_is_its_speaker_and_text(message: dict[str, Any]) -> None:
    assert is_turn(message)
    assert turn(message) == ("user", "Hi")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["Hi", "Hello"], ("Hi", "Hello")),
        ({"user": "Hi", "assistant": "Hello"}, ("Hi", "Hello")),
        ({"input": "Hi", "output": "Hello"}, ("Hi", "Hello")),
        (["Hi"], None),
        ({"user": "Hi"}, None),
        ({"role": "user", "content": "Hi"}, None),
    ],
)
def test_an_exchange_is_a_question_and_its_answer(value: Any, expected: Any) -> None:
    assert exchange(value) == expected
