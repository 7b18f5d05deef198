"""Prompts that went through a template of words, and those that only speak of one."""

from __future__ import annotations

import polars as pl
import pytest

from curation.rules.template_text import is_templated, templated

ALPACA = "Below is an instruction.\n\n### Instruction:\nName a bird.\n\n### Response:"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A chat. USER: Name a bird. ASSISTANT:", True),
        (ALPACA, True),
        ("\n\nHuman: Name a bird.\n\nAssistant:", True),
        ("### Human: Name a bird. ### Assistant: ", True),
        ("GPT4 Correct User: Name a bird.GPT4 Correct Assistant:", True),
        ("Instruct: Name a bird.\nOutput:", True),
        ("[Round 1]\n\n\u95ee\uff1aName a bird.\n\n\u7b54\uff1a", True),
        ("Name a bird.", False),
        ("Which of a form's fields, User: or Assistant: is first?", False),
        ("Translate.\nInput: bird\nOutput:", False),
        ("Write a line for the\nAssistant:", False),
        (None, False),
        ("", False),
    ],
)
def test_the_assistants_mark_at_the_end(text: str | None, expected: bool) -> None:
    frame = pl.DataFrame({"text": [text]}, schema={"text": pl.String})
    assert frame.select(templated(pl.col("text"))).item() is expected
    assert is_templated(text or "") is expected
