"""What a user's row asks and what it answers: messages and texts, or the rule that says why not."""

from __future__ import annotations

import re
from typing import Any

from curation.core.messages import ROLES
from curation.reading.turns import TurnError, exchange, is_turn, turn
from curation.rules.control_tokens import CONTROL_TOKENS
from curation.rules.template_text import is_templated

_TOKENS = re.compile("|".join(re.escape(token) for token in CONTROL_TOKENS))
_LETTERS = {"system": "s", "user": "u", "assistant": "a"}
Messages = list[dict[str, str]]


class WrongError(Exception):
    """A row that cannot be used: its rule and detail."""


def control_token(text: str) -> str | None:
    """The first control token that a text spells."""
    found = _TOKENS.search(text)
    return None if found is None else found[0]


def prompt(value: Any, system: Any = None, history: Any = None) -> Messages:
    """The messages of a prompt: a text, or turns that end with the user's.

    Args:
        system: What stands beside it as its system turn, if anything.
        history: Turns before it.

    Raises:
        WrongError: there is no prompt, its roles do not alternate, or it went through a template.
    """
    if isinstance(value, str) and value.strip():
        value = [{"role": "user", "content": value}]
    messages = messages_of(value)
    if messages is None:
        raise WrongError("missing_prompt", "no text or list of messages in the prompt's column")
    messages = [*(messages_of(history) or []), *messages]
    if isinstance(system, str) and system.strip() and messages[0]["content"] != system:
        messages = [{"role": "system", "content": system}, *messages]
    if messages[-1]["role"] != "user":
        said = f"the prompt ends with a message of role {messages[-1]['role']}"
        raise WrongError("bad_prompt", said)
    letters = "".join(_LETTERS.get(one["role"], "x") for one in messages)
    if not re.fullmatch("s?u(au)*", letters):
        raise WrongError("bad_roles", f"roles {letters}")
    if any(not one["content"].strip() for one in messages):
        raise WrongError("empty_prompt", "a blank turn")
    for one in messages:
        if token := control_token(one["content"]):
            raise WrongError("control_tokens", f"the prompt holds {token}")
    if is_templated(messages[-1]["content"]):
        said = f"the prompt ends with {messages[-1]['content'].strip()[-24:]!r}"
        raise WrongError("template_text", said)
    return messages


def messages_of(value: Any) -> Messages | None:
    """A list of messages or of exchanges, in the tables' own words; None for anything else.

    Raises:
        WrongError: a message holds what no table has a column for.
    """
    if not isinstance(value, list) or not value:
        return None
    made: list[tuple[str, str]] = []
    for one in value:
        if pair := exchange(one):
            made += zip(("user", "assistant"), pair, strict=True)
        elif is_turn(one):
            try:
                made.append(turn(one))
            except TurnError as wrong:
                raise WrongError(wrong.rule, wrong.detail) from wrong
        else:
            return None
    if not all(isinstance(text, str) for _, text in made):
        return None
    return [{"role": ROLES.get(role, str(role)), "content": text} for role, text in made]


def answers(value: Any) -> str | list[str]:
    """A row's response, or its list of responses; of messages the last one's text.

    Raises:
        WrongError: there is none.
    """
    if isinstance(value, dict):
        value = [value]
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return value
    if isinstance(value, list) and value and all(_unsaid(one) for one in value):
        return [one["text"] for one in value]
    messages = messages_of(value)
    if messages and messages[-1]["role"] == "assistant":
        return messages[-1]["content"]
    raise WrongError("missing_response", "no text in the response's column")


def _unsaid(value: Any) -> bool:
    """Whether a value is a text of a completion, without a speaker."""
    return isinstance(value, dict) and isinstance(value.get("text"), str) and not is_turn(value)
