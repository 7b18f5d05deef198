"""Text tables and lines for a terminal."""

from __future__ import annotations

from curation.audit.text import block, cell, of_rows, table


def test_numbers_right_text_left() -> None:
    assert table(["name", "n"], [["a", 1], ["bb", 22]]).splitlines() == [
        "name   n",
        "----  --",
        "a      1",
        "bb    22",
    ]


def test_no_rows_is_only_a_head() -> None:
    assert table(["name"], []) == "name\n----"


def test_rows_by_name_have_the_decimals_that_are_asked_for() -> None:
    rows = [{"judge": "a", "share": 0.5, "n": 12}, {"n": 3, "judge": "paper", "share": None}]
    assert of_rows(rows, digits=3).splitlines() == [
        "judge  share   n",
        "-----  -----  --",
        "a      0.500  12",
        "paper          3",
    ]
    assert of_rows([], digits=3) == ""


def test_control_characters_are_shown_and_long_text_is_cut() -> None:
    assert cell("a\x1b[31m\nb") == "a\\x1b[31m\\nb"
    assert cell("x" * 70, 10) == "x" * 9 + "…"


def test_missing_and_special_values() -> None:
    assert [cell(value) for value in (None, True, float("nan"), 0.5)] == ["", "true", "nan", "0.5"]


def test_block_keeps_lines() -> None:
    assert block("a\nb\x07") == "  a\n  b\\x07"
