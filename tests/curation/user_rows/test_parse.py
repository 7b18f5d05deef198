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
