"""Every kind of format constraint: responses that keep it, and near misses that do not."""

from __future__ import annotations

from typing import Any

import pytest

from data.checkable.constraints import KINDS, kept, sentences

SEVENTY = "word " * 69 + "end."
CASES: list[tuple[str, dict[str, Any], str, bool]] = [
    ("one_sentence", {}, "Cats sleep a lot.", True),
    ("one_sentence", {}, "Dr. Smith paid 3.5 dollars, e.g. for tea.", True),
    ("one_sentence", {}, "Cats sleep. Dogs do not", False),
    ("two_sentences", {}, 'He said "Go!" And they went.', True),
    ("two_sentences", {}, "One. Two. Three.", False),
    ("three_sentences", {}, "One. Two! Three?", True),
    ("three_sentences", {}, "One. Two!", False),
    ("at_most_words", {"n": 3}, "It's well-known, yes.", True),
    ("at_most_words", {"n": 3}, "one two three four", False),
    ("at_least_words", {"n": 70}, SEVENTY, True),
    ("at_least_words", {"n": 71}, SEVENTY, False),
    ("words_between", {"low": 2, "high": 3}, "one two three", True),
    ("words_between", {"low": 2, "high": 3}, "one", False),
    ("words_between", {"low": 2, "high": 3}, "one two three four", False),
    ("numbered", {"n": 2}, "Here:\n1. wash it\n2) dry it\n", True),
    ("numbered", {"n": 2}, "1. a\n2. b\n3. c", False),
    ("numbered", {"n": 2}, "2. a\n1. b", False),
    ("bullets", {"n": 2}, "Do this:\n- wash\n* dry", True),
    ("bullets", {"n": 2}, "- wash - dry", False),
    ("mention", {"wanted": ["tail", "ears"]}, "Its Tail and its EARS move.", True),
    ("mention", {"wanted": ["tail", "ears"]}, "Its tails and its ears move.", False),
    ("mention_twice", {"word": "dust"}, "Dust on dust.", True),
    ("mention_twice", {"word": "dust"}, "Dust makes it dusty.", False),
    ("starts_with", {"phrase": "Of course"}, '"of course, you can.', True),
    ("starts_with", {"phrase": "Of course"}, "You can, of course.", False),
    ("exclamation", {}, "Wow! It works.", True),
    ("exclamation", {}, "It works.", False),
    ("one_paragraph", {}, "One. Two.\n", True),
    ("one_paragraph", {}, "One.\nTwo.", False),
    ("has_digits", {}, "It takes 20 minutes.", True),
    ("has_digits", {}, "1. wash\n2. dry", False),
    ("no_digits", {}, "twenty minutes", True),
    ("no_digits", {}, "20 minutes", False),
    ("bold", {}, "This is **vital**.", True),
    ("bold", {}, "This is *vital*.", False),
    ("capitals", {}, "This is VITAL.", True),
    ("capitals", {}, "NASA is a Vital name of THE sky"[9:], False),
    ("one_word", {}, "Paris.", True),
    ("one_word", {}, "It's Paris", False),
    ("title", {}, "# On cats\n\nThey sleep.", True),
    ("title", {}, "They sleep.\n\nA lot.", False),
    ("title", {}, "On cats\nThey sleep.", False),
]


@pytest.mark.parametrize(("kind", "arguments", "text", "expected"), CASES)
def test_a_response_keeps_it_or_not(
    kind: str, arguments: dict[str, Any], text: str, expected: bool
) -> None:
    assert kept(kind, text, arguments) is expected


def test_every_kind_has_a_response_that_keeps_it_and_one_that_does_not() -> None:
    for verdict in (True, False):
        assert {kind for kind, _, _, kept_it in CASES if kept_it is verdict} == set(KINDS)


@pytest.mark.parametrize("kind", ["at_most_words", "one_paragraph", "no_digits"])
def test_an_answer_without_a_word_keeps_nothing(kind: str) -> None:
    arguments = {"n": 5} if kind == "at_most_words" else {}
    assert not kept(kind, " \n...", arguments)


def test_sentences_of_lists_are_those_of_their_items() -> None:
    assert sentences("1. Wash it.\n2. Dry it well.") == 2
    assert sentences("Wait... what? Yes") == 3
    assert sentences("") == 0
