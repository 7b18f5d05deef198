"""Thoughts in front of an answer, for templates that take them apart from it.

Some templates (Qwen3.8's) write a block of thoughts before every answer and read what stands in it
from `reasoning_content`: an answer that begins with thoughts of its own would get a second block.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

Message = Mapping[str, str]
_BLOCK = re.compile(r"\s*<think>(.*?)</think>\s*", re.DOTALL)
_OPEN = "<think>"
_THOUGHT, _ANSWER = "Quokkabara", "Wombatross"


def apart(message: Message) -> dict[str, str]:
    """An assistant's message with the thoughts that it begins with as `reasoning_content`."""
    found = _BLOCK.match(message["content"]) if message["role"] == "assistant" else None
    if found is None:
        return dict(message)
    rest = message["content"][found.end() :]
    return {**message, "content": rest, "reasoning_content": found[1].strip()}


def doubled(render: Callable[[list[dict[str, str]]], str]) -> bool:
    """Whether a template writes a second block of thoughts before those of an answer.

    False also where it would lose thoughts that are given apart.

    Args:
        render: gives the text of a conversation.
    """
    asked = {"role": "user", "content": "Name a bird."}
    said = {
        "role": "assistant",
        "content": f"{_OPEN}\n{_THOUGHT}\n</think>\n\n{_ANSWER}",
    }
    blocks = render([asked, said]).count(_OPEN)
    once = render([asked, apart(said)])
    return blocks > once.count(_OPEN) == 1 and _THOUGHT in once and _ANSWER in once
