"""Rules that hold the two answers against each other, on literal items."""

from __future__ import annotations

from tests.curation.rules.asked_of import dropped

WORDS = [f"w{n}" for n in range(50)]


def test_length_gap_looks_both_ways() -> None:
    items = [("q", "x" * 500, "y"), ("q", "x", "y" * 500), ("q", "x" * 300, "y")]
    assert dropped("length_gap", *items) == [
        "chosen longer by 499, over 400",
        "chosen longer by -499, over 400",
        None,
    ]
    assert dropped("length_gap", items[2], threshold=100) == ["chosen longer by 299, over 100"]


def test_answers_that_hardly_differ() -> None:
    one, other = " ".join(WORDS), " ".join([*WORDS[:-1], "z"])
    assert dropped("alike_responses", ("q", one, other), ("q", "yes", "yes!")) == [
        "similarity 0.961, from 0.95",
        None,
    ]


def test_an_answer_that_stands_in_its_prompt() -> None:
    answer = "the quick brown fox jumps over the lazy dog today"
    found = dropped("answer_in_prompt", (f"Say {answer}.", answer, "no"), ("Say yes.", "yes", "no"))
    assert found == [f"the prompt holds {answer}"[:77], None]


def test_messages_that_were_written_as_text() -> None:
    text = '[{"role": "user", "content": "q"}]'
    items = [("q", text, "b"), (text, "a", "b"), ("q", "['role']", "b"), ("q", "[1, 2]", "b")]
    found = dropped("messages_as_text", *items)
    assert [one is not None for one in found] == [True, True, False, False]


def test_a_long_answer_that_ends_within_a_sentence() -> None:
    long = "This is a sentence. " * 12
    items = [("q", long + "and then it goes on to", "b"), ("q", long, "b"), ("q", "no stop", "b")]
    assert dropped("unfinished", *items) == ["chosen", None, None]
