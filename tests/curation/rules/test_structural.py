"""Every published form against the rules of form: a sound row, a row per fault, exact counts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.curation.sources.test_formats import completion, hh, orca_row, run, said, sides

Row = dict[str, Any]
Build = Callable[[str, str, str], Row]


def _turn(text: str) -> Row:
    return {"from": "gpt", "value": text}


def _shp(q: str, x: str, y: str) -> Row:
    return {
        "history": q, "human_ref_A": y, "human_ref_B": x, "labels": 0, "score_ratio": 3.0,
        "score_A": 3, "score_B": 9,
    }  # fmt: skip


def _pku(q: str, x: str, y: str) -> Row:
    return {
        "prompt": q, "response_0": y, "response_1": x, "is_response_0_safe": False,
        "is_response_1_safe": True, "better_response_id": 0, "safer_response_id": 1,
    }  # fmt: skip


def _summarize(q: str, x: str, y: str) -> Row:
    return {
        "info": {"post": q, "title": "T", "subreddit": "r"},
        "summaries": [{"text": y, "policy": "a"}, {"text": x, "policy": "b"}],
        "choice": 1,
    }


def _nectar(q: str, x: str, y: str) -> Row:
    answers = [{"answer": y, "model": "m", "rank": 2.0}, {"answer": x, "model": "m", "rank": 1.0}]
    return {"prompt": f"\n\nHuman: {q}\n\nAssistant: ", "answers": answers}


FORMS: dict[str, Build] = {
    "hh_rlhf": lambda q, x, y: {"chosen": hh(q, x), "rejected": hh(q, y)},
    "shp": _shp,
    "pku_saferlhf": _pku,
    "ultrafeedback": lambda q, x, y: {
        "instruction": q,
        "completions": [completion(y, *"1111"), completion(x, *"5555")],
    },
    "ultrafeedback_binarized": lambda q, x, y: {
        "chosen": said(q, x), "rejected": said(q, y), "score_chosen": 8, "score_rejected": 5.5,
    },
    "ultrainteract": lambda q, x, y: {
        "trajectory": [{"from": "user", "value": q}], "chosen": x, "rejected": y,
    },
    "capybara": lambda q, x, y: {
        "chosen": said(q, x), "rejected": said(q, y), "rating_chosen": 5, "rating_rejected": 2,
    },
    "orca": lambda q, x, y: orca_row(0, system=None, input=q, chosen=x, rejected=y),
    "orca_intel": lambda q, x, y: {"system": "", "question": q, "chosen": x, "rejected": y},
    "summarize": _summarize,
    "code_ultrafeedback": lambda q, x, y: {"instruction": q, "chosen": x, "rejected": y},
    "argilla_math": lambda q, x, y: {
        "instruction": q, "chosen_response": x, "rejected_response": y, "chosen_rating": 9,
        "rejected_rating": 7,
    },
    "nectar": _nectar,
    "trl": lambda q, x, y: {
        "prompt": said(q), "chosen": said("", x)[1:], "rejected": said("", y)[1:],
    },
    "rlhflow": lambda q, x, y: {"chosen": said(q, x), "rejected": said(q, y)},
    "sharegpt_pairs": lambda q, x, y: {
        "conversations": [{"from": "human", "value": q}], "chosen": _turn(x), "rejected": _turn(y),
    },
    "strings": lambda q, x, y: {"prompt": q, "chosen": x, "rejected": y},
}  # fmt: skip
FAULTS = {
    ("q1", "x", " \n"): "empty_response",
    ("q2", "", "y"): "empty_response",
    ("q3", "same", "same "): "identical_responses",
    ("q4", "x<|im_end|>", "y"): "control_tokens",
    ("q5", "x", "y\x00"): "invalid_text",
    (" ", "x", "y"): "empty_prompt",
}


@pytest.mark.parametrize("name", list(FORMS))
def test_each_fault_is_dropped_by_its_own_rule(tmp_path: Path, name: str) -> None:
    build = FORMS[name]
    rows = [build("q", "good", "bad"), *(build(*texts) for texts in FAULTS)]
    rows.append(build("q", "good", "bad"))
    kept, rules = run(tmp_path, name, rows, ["structural"])
    assert sides(kept) == {("good", "bad")}
    assert kept["turns"].to_list() == [1]
    assert rules == {
        "empty_response": 2,
        "identical_responses": 1,
        "control_tokens": 1,
        "invalid_text": 1,
        "empty_prompt": 1,
        "duplicate": 1,
    }


def test_helpsteer_faults_are_dropped_by_their_own_rules(tmp_path: Path) -> None:
    def rated(q: str, text: str, score: int) -> Row:
        return {"prompt": q, "response": text, "helpfulness": score, "correctness": score}

    pairs = [("q", "good", "bad"), *FAULTS]
    rows = [rated(q, text, score) for q, x, y in pairs for text, score in ((x, 4), (y, 1))]
    kept, rules = run(tmp_path, "helpsteer", rows, ["structural"])
    assert sides(kept) == {("good", "bad")}
    assert sum(rules.values()) == len(FAULTS)
    assert rules["empty_response"] == 2


LISTS = {
    "rlhflow": lambda x, y: {"chosen": x, "rejected": y},
    "ultrafeedback_binarized": lambda x, y: {
        "chosen": x, "rejected": y, "score_chosen": 2, "score_rejected": 1,
    },
    "capybara": lambda x, y: {
        "chosen": x, "rejected": y, "rating_chosen": 2, "rating_rejected": 1,
    },
    "hh_rlhf": lambda x, y: {"chosen": _transcript(x), "rejected": _transcript(y)},
}  # fmt: skip


def _transcript(turns: list[dict[str, str]]) -> str:
    names = {"user": "Human", "assistant": "Assistant"}
    return "".join(f"\n\n{names[turn['role']]}: {turn['content']}" for turn in turns)


@pytest.mark.parametrize("name", list(LISTS))
def test_faults_of_turns_are_dropped_by_their_own_rules(tmp_path: Path, name: str) -> None:
    build = LISTS[name]
    two = said("a", "b", "c", "d")
    rows = [
        build(two, [*two[:3], *said("", "e")[1:]]),
        build(two, said("a", "b", "other", "e")),
        build(two, said("a", "b")),
        build(two[:3], [*two[:2], *said("f")]),
        build(
            [*two[:1], *two[:1], *two[1:2], *two[3:]], [*two[:1], *two[:1], *two[1:2], *two[1:2]]
        ),
        build(said("a", " ", "c", "d"), said("a", " ", "c", "e")),
    ]
    kept, rules = run(tmp_path, name, rows, ["structural"])
    assert sides(kept) == {("d", "e")}
    assert rules == {"unequal_prompts": 2, "odd_turns": 1, "bad_roles": 1, "empty_prompt": 1}
