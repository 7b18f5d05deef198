"""Two responses and a label under any names; arenas' own rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from curation.core.errors import UserError
from tests.curation.sources.test_formats import run, said, sides

A, B = ("a", "b"), ("b", "a")


def row(label: Any, **more: Any) -> dict[str, Any]:
    return {"prompt": f"q {label}", "response_a": "a", "response_b": "b", "label": label, **more}


@pytest.mark.parametrize(
    ("labels", "options"),
    [
        (["model_a", "model_b", "tie"], {}),
        (["A", "B", "C"], {}),
        (["[[A]]", "[[B]]", "[[C]]"], {}),
        (["Response A", "response_b", "both"], {}),
        ([True, False, "neither"], {"a": "true", "b": "false"}),
        (["A>>B", "B>A", "A=B"], {}),
        ([0, 1, 2], {"a": "0", "b": "1"}),
        ([1.0, 2.0, 0.0], {"a": "1", "b": "2"}),
        ([-3, 1, 0], {"a": "<0", "b": ">0"}),
        (
            ["A is better", "B is better", "same"],
            {"a": "A is better|A is best", "b": "B is better"},
        ),
    ],
)
def test_a_label_names_the_winner(
    tmp_path: Path, labels: list[Any], options: dict[str, str]
) -> None:
    rows = [row(label) for label in labels]
    kept, rules = run(tmp_path, "comparison", rows, ["structural", "unknown_label"], **options)
    found = {
        r["prompt"][0]["content"]: sides(kept[i : i + 1]) for i, r in enumerate(kept.to_dicts())
    }
    assert found == {f"q {labels[0]}": {A}, f"q {labels[1]}": {B}}
    assert rules == {"unknown_label": 1}


def test_a_number_as_label_is_never_guessed(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="could mean either response"):
        run(tmp_path, "comparison", [row(1)], [])
    with pytest.raises(UserError, match="could mean either response"):
        run(tmp_path, "comparison", [row(True)], [])
    with pytest.raises(UserError, match="both a and b"):
        run(tmp_path, "comparison", [row(1)], [], a="1")


def test_fields_of_any_name_and_two_scores(tmp_path: Path) -> None:
    names = {"prompt": "q", "response_a": "x", "response_b": "y", "score_a": "s", "score_b": "t"}
    rows = [
        {"q": "one", "x": "a", "y": "b", "s": 1, "t": 3},
        {"q": "2", "x": "a", "y": "b", "s": 1, "t": 1},
    ]
    kept, rules = run(tmp_path, "comparison", rows, ["tie"], columns=names)
    assert sides(kept) == {B}
    assert kept["margin"].to_list() == [2.0]
    assert rules == {"tie": 1}


def arena(*flags: int, **more: Any) -> dict[str, Any]:
    names = ("winner_model_a", "winner_model_b", "winner_tie")
    texts = {"prompt": "q", "response_a": "a", "response_b": "b"}
    return {**texts, **dict(zip(names, flags, strict=True)), **more}


def test_arena_by_flags_and_by_conversations(tmp_path: Path) -> None:
    rows = [arena(1, 0, 0), arena(0, 1, 0, prompt="r"), arena(0, 0, 1, prompt="s")]
    kept, rules = run(tmp_path, "arena", rows, ["structural", "unknown_label"])
    assert kept.height == 2
    assert sides(kept) == {A, B}
    assert rules == {"unknown_label": 1}
    talks = {"conversation_a": said("q", "a"), "conversation_b": said("q", "b")}
    both_bad = {**talks, "winner": "tie (bothbad)"}
    rows = [{**talks, "winner": "model_b"}, both_bad]
    kept, rules = run(tmp_path, "arena", rows, ["unknown_label"])
    assert sides(kept) == {B}
    assert rules == {"unknown_label": 1}


def test_arena_turns_as_text_are_a_conversation(tmp_path: Path) -> None:
    turns = {"prompt": ["q1", "q2"], "response_a": ["same", "a"], "response_b": ["same", "b"]}
    texts = {name: json.dumps(value) for name, value in turns.items()}
    kept, _ = run(tmp_path, "arena", [arena(0, 1, 0, **texts)], ["structural"])
    assert [m["content"] for m in kept["prompt"][0]] == ["q1", "same", "q2"]
    assert sides(kept) == {B}


def test_a_context_of_turns_and_a_strength_of_preference(tmp_path: Path) -> None:
    names = {"prompt": "context", "label": "overall"}
    rows = [
        {"context": said("q", "x", str(n)), "response_a": "a", "response_b": "b", "overall": n}
        for n in (-2, 1, 0)
    ]
    kept, rules = run(
        tmp_path, "comparison", rows, ["structural", "unknown_label"], columns=names, a="<0", b=">0"
    )
    assert sides(kept) == {A, B}
    assert kept["turns"].to_list() == [3, 3]
    assert rules == {"unknown_label": 1}


def test_two_responses_in_a_list_and_the_place_of_the_better(tmp_path: Path) -> None:
    rows = [
        {"prompt": "one", "responses": ["a", "b"], "label": 1},
        {"prompt": "two", "responses": ["a", "b", "c"], "label": 0},
    ]
    kept, rules = run(tmp_path, "comparison", rows, [], a="0", b="1")
    assert sides(kept) == {B}
    assert rules == {"unknown_label": 1}
