"""Rules of what answers say, on literal answers."""

from __future__ import annotations

import pytest

from tests.curation.rules.asked_of import dropped

PLAIN = "A wren is a small brown bird with a loud song."


@pytest.mark.parametrize(
    ("rule", "answer", "said"),
    [
        ("boilerplate", "As an AI language model, I sing.", "chosen"),
        ("identity", "I am ChatGPT.", "chosen: I am ChatGPT"),
        ("identity", "I'm a large language model trained by Google.", "chosen: "),
        ("cutoff_date", "My training data only goes up to 2021.", "chosen: "),
        ("cutoff_date", "As of my last update, it was so.", "chosen: As of my last"),
        ("repetition", "la " * 80, "chosen: under 0.2"),
        ("run_on", "Yes.\n\nHuman: And more?", "chosen: "),
        ("run_on", "Yes.\n### Instruction: And more?", "chosen: "),
        ("secret", f"Use {'ghp_' + 'a' * 36}.", "chosen"),
        ("email", "Write to bob@corp.io.", "chosen"),
    ],
)
def test_each_finds_its_fault_on_either_side(rule: str, answer: str, said: str) -> None:
    first, second, none = dropped(
        rule, ("q", answer, PLAIN), ("q", PLAIN, answer), ("q", PLAIN, PLAIN)
    )
    assert first.startswith(said)
    assert second.startswith(said.replace("chosen", "rejected"))
    assert none is None


@pytest.mark.parametrize(
    ("rule", "answer"),
    [
        ("identity", "ChatGPT is a chatbot by OpenAI."),
        ("identity", "I use Google to find birds."),
        ("cutoff_date", "The deadline was in 2021."),
        ("repetition", "la " * 20),
        ("run_on", "The fields are User: and Human: here."),
        ("email", "Write to jane@example.com."),
        ("secret", "A key starts with sk- or ghp_."),
    ],
)
def test_each_leaves_alone_what_only_looks_alike(rule: str, answer: str) -> None:
    assert dropped(rule, ("q", answer, PLAIN)) == [None]


def test_a_refusal_is_a_fault_only_where_the_other_helps() -> None:
    no = "I'm sorry, but I can't help with that."
    found = dropped("refusal", ("q", no, PLAIN), ("q", PLAIN, no), ("q", no, "I cannot do that."))
    assert [one is not None for one in found] == [True, False, False]


def test_names_and_phrases_are_thresholds() -> None:
    assert dropped("identity", ("q", "I am Robin.", PLAIN), threshold=["Robin"]) == [
        "chosen: I am Robin"
    ]
    assert dropped("boilerplate", ("q", "Hope this HELPS!", PLAIN), threshold=["hope this helps"])[
        0
    ]


def test_a_demonstration_has_one_answer() -> None:
    assert dropped("boilerplate", ("q", "As an AI assistant, no.", None)) == ["chosen"]
