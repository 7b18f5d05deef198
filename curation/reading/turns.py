"""One native message: its speaker and its text, whatever names and parts they are published with.

What no table has a column for (tool calls, reasoning apart from the text, pictures) is never
dropped without a word: the message is refused by a rule that names it.
"""

from __future__ import annotations

import math
from typing import Any

from curation.core.messages import ROLES

ROLE_KEYS = ("role", "from", "speaker")
TEXT_KEYS = ("content", "value", "text", "parts")
TOOL_KEYS = ("tool_calls", "function_call", "tool_call")
TOOL_COLUMNS = ("tools", "functions", "available_tools", "tool_definitions")
"""Columns beside a conversation that declare what its messages may call."""
REASONING_KEYS = ("reasoning_content", "reasoning", "thinking")
SIDE_KEYS = (*TOOL_KEYS, *REASONING_KEYS)
"""Fields beside the text that change what a message says."""
_TEXT_PARTS = ("text", "input_text", "output_text")
_ASKED = ("user", "human", "question", "query", "input", "instruction", "prompt")
_ANSWERED = ("assistant", "gpt", "bot", "answer", "output", "response")


class TurnError(Exception):
    """A message that no table can hold: the rule that says why, and what was seen."""

    def __init__(self, rule: str, detail: str) -> None:
        super().__init__(rule, detail)
        self.rule, self.detail = rule, detail


def is_turn(value: Any) -> bool:
    """Whether a value has the fields of a message."""
    return isinstance(value, dict) and (
        _keyed(value) is not None
        or (
            any(isinstance(value.get(key), str) for key in ROLE_KEYS)
            and any(key in value for key in (*TEXT_KEYS, *SIDE_KEYS))
        )
    )


def _keyed(value: dict[str, Any]) -> tuple[str, str] | None:
    """Speaker and text of a message whose only field is named by its speaker: {"user": "Hi"}."""
    said = [(name, text) for name, text in value.items() if text is not None]
    if len(said) == 1 and said[0][0] in ROLES and isinstance(said[0][1], str):
        return said[0]
    return None


def is_plain(value: Any, role: str, text: str) -> bool:
    """Whether a message is its two fields and nothing that has to be looked at."""
    return len(value) == 2 and isinstance(value.get(text), str) and isinstance(value.get(role), str)


def turn(value: dict[str, Any]) -> tuple[Any, Any]:
    """Speaker and text of a message; either is null where the message has none.

    Raises:
        TurnError: it calls a tool, holds reasoning apart from its text, or is no text.
    """
    role = next((value[key] for key in ROLE_KEYS if value.get(key) is not None), None)
    if role is None and (named := _keyed(value)):
        return named
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
    if isinstance(content, dict):
        parts = content.get("parts")
        content = parts if isinstance(parts, list) else [content]
    return "".join(map(_part, content)) if isinstance(content, list) else content


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


def exchange(value: Any) -> tuple[str, str] | None:
    """Question and answer where a value is one exchange of a history: a pair, or two fields."""
    if isinstance(value, list | tuple) and len(value) == 2:
        asked, answered = value
    elif isinstance(value, dict) and len(value) == 2:
        asked = next((value[key] for key in _ASKED if key in value), None)
        answered = next((value[key] for key in _ANSWERED if key in value), None)
    else:
        return None
    return (asked, answered) if isinstance(asked, str) and isinstance(answered, str) else None
