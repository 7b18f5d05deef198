"""Columns under the names that people give them, and those that stay what they are."""

from __future__ import annotations

import pytest

from curation.sources.aliases import with_aliases
from curation.sources.formats import FORMATS


def named(form: str, *columns: str) -> dict[str, str]:
    return dict(with_aliases(FORMATS[form], {}, columns).get("columns", {}))


@pytest.mark.parametrize(
    "names",
    [
        ("score_chosen", "score_rejected"),
        ("chosen_rating", "rejected_rating"),
        ("chosen-rating", "rejected-rating"),
        ("chosenReward", "rejectedReward"),
        ("avg_score_chosen", "avg_score_rejected"),
        ("Chosen_RM_Score", "Rejected_RM_Score"),
    ],
)
def test_scores_have_many_names(names: tuple[str, str]) -> None:
    found = named("trl", "prompt", "chosen", "rejected", *names)
    assert found == dict(zip(("chosen_score", "rejected_score"), names, strict=True))


def test_a_files_own_name_comes_first() -> None:
    assert named("trl", "prompt", "chosen", "rejected", "question", "instruction") == {}
    both = named("strings", "chosen", "rejected", "prompt", "chosen_score", "score_chosen")
    assert both == {}


@pytest.mark.parametrize("name", ["question", "instruction", "Prompt", "user_prompt", "messages"])
def test_a_prompt_has_many_names(name: str) -> None:
    assert named("trl", name, "chosen", "rejected") == {"prompt": name}


def test_an_instruction_with_an_input_is_not_the_whole_prompt() -> None:
    assert named("strings", "instruction", "input", "chosen", "rejected") == {}


def test_responses_are_counted_from_nought_or_from_one() -> None:
    first = {"response_a": "response_0", "response_b": "response_1"}
    second = {"response_a": "response1", "response_b": "response2"}
    assert named("comparison", "prompt", "response_0", "response_1", "label") == first
    assert named("comparison", "prompt", "response1", "response2", "label") == second


def test_a_column_that_an_option_names_is_taken_once() -> None:
    given = {"columns": {"instruction": "input"}}
    found = with_aliases(FORMATS["alpaca"], given, ["input", "output"])
    assert found == given
