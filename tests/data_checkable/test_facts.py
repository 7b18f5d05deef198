"""Accepted answers in free text: wordings that count, and what only looks like one."""

from __future__ import annotations

import pytest

from data.checkable.facts import says


@pytest.mark.parametrize(
    ("response", "answers", "expected"),
    [
        ("The capital is PARIS.", [["paris"]], True),
        ("It is Parisian food.", [["paris"]], False),
        ("A spider has eight legs.", [["8"]], True),
        ("A spider has 8 legs", [["8"]], True),
        ("A spider has 18 legs", [["8"]], False),
        ("São Paulo", [["sao paulo"]], True),
        ("The Blue  Whale, of course", [["blue whale"]], True),
        ("A whale that is blue", [["blue whale"]], False),
        ("It costs 1,945 dollars", [["1945"]], True),
        ("42.2 km", [["42", "42.2"]], True),
        ("bees", [["bee", "bees"]], True),
        ("It is not Paris but Lyon", [["paris"]], False),
        ("It isn't Paris.", [["paris"]], False),
        ("Not Lyon: it is Paris.", [["paris"]], True),
        ("Mars and Venus", [["mars"], ["venus"]], True),
        ("Mars", [["mars"], ["venus"]], False),
        ("", [["paris"]], False),
    ],
)
def test_says(response: str, answers: list[list[str]], expected: bool) -> None:
    assert says(response, answers) is expected
