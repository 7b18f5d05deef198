"""How a row of a user's file ended: in any server's words, and a failed draw is no response."""

from __future__ import annotations

from typing import Any

import pytest

from curation.user_rows.parse import parse


def ended(**more: Any) -> tuple[list[str], list[tuple[str, str]]]:
    """Finish reasons kept, and rule and detail of rejects, of one row with these fields."""
    row = {"prompt": "Name a bird.", "response": "A wren.", **more}
    found = parse([row], {}, "import", keyed=False)
    kept = found.frame["finish_reason"].to_list()
    return kept, list(found.rejects.select("rule", "detail").iter_rows())


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        *[(word, "stop") for word in ("stop", "eos_token", "EOS", "stop_sequence", "end_turn", "")],
        *[(word, "length") for word in ("length", "max_tokens", "MAX_TOKENS")],
    ],
)
def test_stops_and_limits_in_any_servers_words(told: str, kept: str) -> None:
    assert ended(finish_reason=told) == ([kept], [])


def test_a_file_that_does_not_say_holds_whole_responses() -> None:
    assert ended() == (["stop"], [])


@pytest.mark.parametrize("told", ["content_filter", "tool_calls", "abort", "error", None, 3])
def test_what_a_server_did_not_finish_is_a_failed_draw_with_its_reason(told: Any) -> None:
    kept, rejects = ended(finish_reason=told)
    assert kept == []
    shown = "null" if told is None else repr(str(told))
    assert rejects == [
        ("failed_draw", f"finish_reason is {shown}: neither a stop nor a length limit")
    ]


TEMPLATED = [
    "<|start_header_id|>user<|end_header_id|>\n\nq<|eot_id|>",
    "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\n",
    "<s>[INST] q [/INST]",
    "<bos><start_of_turn>user\nq<end_of_turn>\n",
    "<\uff5cbegin\u2581of\u2581sentence\uff5c><\uff5cUser\uff5c>q<\uff5cAssistant\uff5c>",
    "<|user|>\nq<|end|>\n<|assistant|>\n",
    "<extra_id_1>User\nq\n<extra_id_1>Assistant\n",
]


@pytest.mark.parametrize("text", TEMPLATED)
def test_a_prompt_that_went_through_a_template_is_rejected(text: str) -> None:
    found = parse([{"prompt": text, "response": "a"}], {}, "s", keyed=False)
    assert found.frame.is_empty()
    assert found.rejects["rule"].to_list() == ["control_tokens"]


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ({"prompt": "q", "response": "a<|im_end|>"}, "control_tokens"),
        ({"prompt": "q", "response": "a", "sample": 1.9}, "wrong_type"),
        ({"prompt": "q", "response": "a", "sample": -3}, "wrong_type"),
        ({"prompt": "q", "response": "a", "temperature": "NaN"}, "wrong_type"),
        ({"prompt": [{"role": "user", "content": t} for t in "qr"], "response": "a"}, "bad_roles"),
    ],
)
def test_odd_rows_are_rejected_by_name(row: dict[str, object], rule: str) -> None:
    found = parse([row], {}, "s", keyed=False)
    assert found.rejects["rule"].to_list() == [rule]


def test_what_stands_beside_a_prompt_is_its_turns() -> None:
    row = {"prompt": "q", "response": "a", "system": "s", "history": [["h", "i"]]}
    found = parse([row], {}, "s", keyed=False)
    assert [m["role"] for m in found.frame["messages"][0]] == [
        *("system", "user", "assistant", "user")
    ]


@pytest.mark.parametrize(
    "row",
    [
        {"responses": ["a", "b"], "rewards": [1, 2]},
        {"completions": ["a", "b"], "scores": [1, 2]},
        {"responses": '["a", "b"]', "rewards": "[1, 2]"},
        {"outputs": [{"text": "a"}, {"text": "b"}], "rewards": [1, 2]},
    ],
)
def test_lists_of_responses_and_rewards_join_by_place(row: dict[str, Any]) -> None:
    found = parse(iter([{"prompt": "q", **row}]), {}, "import", keyed=False)
    assert found.frame.select("response", "sample", "reward").rows() == [
        ("a", 0, 1.0),
        ("b", 1, 2.0),
    ]


def test_a_response_that_is_json_stays_text() -> None:
    found = parse(iter([{"prompt": "q", "response": "[1, 2]", "reward": 1}]), {}, "import", False)
    assert found.frame["response"].to_list() == ["[1, 2]"]


def test_an_instructions_input_stands_below_it_and_tools_are_refused() -> None:
    row = {"instruction": "Sum up.", "input": "Text.", "output": "T."}
    found = parse(iter([row, {**row, "tools": [{"name": "f"}]}]), {}, "import", keyed=False)
    assert found.frame["messages"].to_list() == [[{"role": "user", "content": "Sum up.\n\nText."}]]
    assert found.rejects["rule"].to_list() == ["tool_calls"]
