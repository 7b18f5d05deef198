"""One native message: its speaker and its text, whatever names and parts they are published with.

What no table has a column for (tool calls, reasoning apart from the text, pictures) is never
dropped without a word: the message is refused by a rule that names it.
"""

from __future__ import annotations

import math
from typing import Any

ROLE_KEYS = ("role", "from", "speaker")
TEXT_KEYS = ("content", "value", "text")
TOOL_KEYS = ("tool_calls", "function_call", "tool_call")
REASONING_KEYS = ("reasoning_content", "reasoning", "thinking")
SIDE_KEYS = (*TOOL_KEYS, *REASONING_KEYS)
"""Fields beside the text that change what a message says."""
_TEXT_PARTS = ("text", "input_text", "output_text")


class TurnError(Exception):
    """A message that no table can hold: the rule that says why, and what was seen."""

    def __init__(self, rule: str, detail: str) -> None:
        super().__init__(rule, detail)
        self.rule, self.detail = rule, detail


def is_turn(value: Any) -> bool:
    """Whether a value has the fields of a message."""
    return (
        isinstance(value, dict)
        and any(isinstance(value.get(key), str) for key in ROLE_KEYS)
        and any(key in value for key in (*TEXT_KEYS, *SIDE_KEYS))
    )


def is_plain(value: Any, role: str, text: str) -> bool:
    """Whether a message is its two fields and nothing that has to be looked at."""
    return len(value) == 2 and isinstance(value.get(text), str) and isinstance(value.get(role), str)


def turn(value: dict[str, Any]) -> tuple[Any, Any]:
    """Speaker and text of a message; either is null where the message has none.

    Raises:
        TurnError: it calls a tool, holds reasoning apart from its text, or is no text.
    """
    role = next((value[key] for key in ROLE_KEYS if value.get(key) is not None), None)
    for rule, keys in (("tool_calls", TOOL_KEYS), ("reasoning", REASONING_KEYS)):
        for key in keys:
            if given(value.get(key)):
                raise TurnError(rule, f"a message of role {role} has {key}")
    said = next((value[key] for key in TEXT_KEYS if value.get(key) is not None), None)
    return role, text_of(said)


def text_of(content: Any) -> Any:
    """A content as text: a list of text parts is their texts, one behind the other.

    Raises:
        TurnError: a part is no text.
    """
    if not isinstance(content, list):
        return content
    return "".join(_part(one) for one in content)


def _part(part: Any) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, dict):
        kind, text = part.get("type", "text"), part.get("text")
        if kind in _TEXT_PARTS and isinstance(text, str):
            return text
        if kind in ("reasoning", "thinking"):
            raise TurnError("reasoning", f"a part of type {kind}")
        if kind in ("tool_use", "tool_result", "tool_call"):
            raise TurnError("tool_calls", f"a part of type {kind}")
        raise TurnError("not_text", f"a part of type {kind}")
    raise TurnError("not_text", f"a part that is {type(part).__name__}")


def given(value: Any) -> bool:
    """Whether a side field says anything: null, "", "[]" and empty lists do not."""
    if isinstance(value, str):
        return value.strip() not in ("", "[]", "{}", "null", "None")
    if isinstance(value, dict):
        return any(given(one) for one in value.values())
    if isinstance(value, list):
        return bool(value)
    return value is not None and not (isinstance(value, float) and math.isnan(value))


def is_exchange(value: Any) -> bool:
    """Whether a value is one exchange of a history: a question and its answer."""
    return (
        isinstance(value, list | tuple)
        and len(value) == 2
        and all(isinstance(one, str) for one in value)
    )
