from __future__ import annotations

import pytest

from training.core.answering import behind

ASKED, END = "<u>Name a bird.<a>", "<e>"
THOUGHT = "<think>\nshort\n</think>\n\nA wren."
NEVER = (False, False)


@pytest.mark.parametrize(
    ("text", "written", "expected"),
    [
        ("A wren.", "A wren.<e>", "A wren.<e>"),
        (" A wren. ", "A wren.<e>\n", "A wren.<e>\n"),  # the template trims
        ("A wren.", "<think>\n\n</think>\n\nA wren.<e>", "<think>\n\n</think>\n\nA wren.<e>"),
        (THOUGHT, "\n<think>short</think>\nA wren.<e>", "\n<think>short</think>\nA wren.<e>"),
        (THOUGHT, "A wren.<e>", f"{THOUGHT}<e>"),  # its thoughts are lost
        (THOUGHT, f"<think>\n\n</think>\n\n{THOUGHT}<e>", f"{THOUGHT}<e>"),  # they are doubled
        ("", "<e>", "<e>"),
        ("<b>x</b>", "<b>x</b><e>", "<b>x</b><e>"),
    ],
)
def test_an_answer_is_read_as_the_template_writes_it_unless_some_of_it_is_lost_or_said_twice(
    text: str, written: str, expected: str
) -> None:
    assert behind(ASKED, ASKED + written, text, END, NEVER) == expected


@pytest.mark.parametrize(
    ("text", "written", "expected"),
    [
        ("A wren.", "<think>\n\n</think>\n\nA wren.<e>", "\n</think>\n\nA wren.<e>"),  # Qwen3.5
        (THOUGHT, f"{THOUGHT}<e>", "short\n</think>\n\nA wren.<e>"),
        ("short\n</think>\n\nA wren.", f"{THOUGHT}<e>", "short\n</think>\n\nA wren.<e>"),
        ("A wren.", "<think></think>A wren.<e>", "</think>A wren.<e>"),  # Nemotron
        ("  A wren.", "<think></think>  A wren.<e>", "</think>  A wren.<e>"),
        ("<think>short</think>x", "<think>short</think>x<e>", "short</think>x<e>"),
        (THOUGHT, "A wren.<e>", "short\n</think>\n\nA wren.<e>"),  # DeepSeek-R1
        ("<think>\n\nshort</think>x", "x<e>", "\nshort</think>x<e>"),
        ("A wren.", "A wren.<e>", "A wren.<e>"),
    ],
)
def test_a_thought_that_the_prompt_has_opened_is_not_opened_again(
    text: str, written: str, expected: str
) -> None:
    assert behind(f"{ASKED}<think>\n", ASKED + written, text, END, NEVER) == expected


@pytest.mark.parametrize(
    ("trims", "expected"),
    [(NEVER, " x <e>"), ((True, False), "x <e>"), ((False, True), " x<e>"), ((True, True), "x<e>")],
)
def test_an_answer_that_stands_alone_is_trimmed_as_the_template_trims(
    trims: tuple[bool, bool], expected: str
) -> None:
    assert behind("<u>q<a> FINAL:", "<u>q<a>x<e>", " x ", END, trims) == expected
