"""Conversations as text, by the tokenizer's own chat template, the same on every day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from curation.core.errors import UserError
from training.core import thoughts
from training.core.template_source import DATE, pinned

Message = dict[str, str]
Messages = Sequence[Message]


class Renderer:
    """Renders conversations for one tokenizer.

    Raises:
        UserError: the tokenizer has no chat template, or is not a fast one.
    """

    def __init__(self, tokenizer: Any) -> None:
        name = tokenizer.name_or_path or type(tokenizer).__name__
        if not tokenizer.is_fast or not tokenizer.chat_template:
            raise UserError(
                f"{name}: its tokenizer has no chat template (or is not a fast one); "
                "set base.chat_template in params.yaml"
            )
        self.name = name
        self.source = pinned(_source(tokenizer, name))
        self._tokenizer = tokenizer

    def render(self, conversations: Sequence[Messages], prompt: bool) -> list[str]:
        """The texts of conversations, with or without what asks for an answer.

        Raises:
            UserError: the template refuses one of them, such as for a role it does not know.
        """
        from jinja2 import TemplateError

        if not conversations:
            return []
        if self._thoughts_apart:
            conversations = [list(map(thoughts.apart, one)) for one in conversations]
        try:
            return self._apply(conversations, prompt)
        except (TemplateError, TypeError):
            for one in conversations:
                self._one(one, prompt)
            raise

    @cached_property
    def _thoughts_apart(self) -> bool:
        """Whether the template is to be given an answer's thoughts apart from it."""
        from jinja2 import TemplateError

        if "reasoning_content" not in self.source:
            return False
        try:
            return thoughts.doubled(lambda messages: self._apply([messages], False)[0])
        except (TemplateError, TypeError, UserError):
            return False  # what it refuses is said of a conversation of the user's

    def _apply(self, conversations: Sequence[Messages], prompt: bool) -> list[str]:
        texts: list[str] = self._tokenizer.apply_chat_template(
            list(conversations),
            chat_template=self.source,
            tokenize=False,
            add_generation_prompt=prompt,
            strftime_now=DATE.strftime,
        )
        bos = self._tokenizer.bos_token
        if bos is not None and any(text.startswith(bos + bos) for text in texts):
            raise UserError(
                f"chat template of {self.name}: it does not put exactly one BOS at the start"
            )
        return texts

    def _one(self, conversation: Messages, prompt: bool) -> None:
        from jinja2 import TemplateError

        try:
            self._apply([conversation], prompt)
        except (TemplateError, TypeError) as error:
            roles = [message["role"] for message in conversation]
            raise UserError(
                f"chat template of {self.name}: {str(error).splitlines()[0]}, in a conversation of "
                f"roles {', '.join(roles)} that starts {_start(conversation)!r}; {_mend(roles)}"
            ) from error


def _source(tokenizer: Any, name: str) -> str:
    try:
        return str(tokenizer.get_chat_template())
    except ValueError as error:  # several, by name, and none is the default
        raise UserError(
            f"{name}: {str(error).splitlines()[0]}; name one by base.chat_template"
        ) from error


def _start(conversation: Sequence[Mapping[str, str]]) -> str:
    return conversation[0]["content"][:60] if conversation else ""


def _mend(roles: Sequence[str]) -> str:
    if "system" in roles:
        return (
            "set base.system: fold to put system messages in front of the first user's, or filter "
            "them out"
        )
    return "filter such conversations out, or name another base.chat_template"
