"""The one way from messages to token ids, shared by training, sampling and scoring.

The structure (roles, turn ends, BOS) comes from the tokenizer's chat template and is tokenised with
its control tokens; contents are tokenised apart by a copy of the tokenizer that knows none, so a
control token written by a user stays plain text.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import tokenizers

from curation.core.errors import UserError

Message = dict[str, str]
Messages = Sequence[Message]

_VERSION = "1"  # part of the hash: raise it when the encoding below changes
_MARK = re.compile(r"(\s*)\ue000(\d+)\ue001(\s*)")
_PAD = " "


@dataclass(frozen=True)
class Part:
    """A piece of a rendered conversation: fixed token ids, or a place for one content."""

    ids: tuple[int, ...] = ()
    slot: int | None = None
    strip: tuple[bool, bool] = (False, False)


class ChatTemplate:
    """Encodes conversations for one tokenizer.

    Args:
        tokenizer: a fast tokenizer of transformers that carries a chat template.

    Raises:
        UserError: the tokenizer has no chat template, or is not a fast one.
    """

    def __init__(self, tokenizer: Any) -> None:
        if not tokenizer.is_fast or not tokenizer.chat_template:
            raise UserError(
                f"{tokenizer.name_or_path}: its tokenizer has no chat template (or is not a fast "
                "one); set base.chat_template in params.yaml"
            )
        self.tokenizer = tokenizer
        self._plain = _without_control(tokenizer)
        self._special = frozenset(tokenizer.added_tokens_decoder)
        self._layouts: dict[tuple[tuple[str, ...], bool], tuple[Part, ...]] = {}

    @property
    def sha(self) -> str:
        """Hash of everything that decides the structure: template, control tokens, this code."""
        added = {str(k): str(v) for k, v in sorted(self.tokenizer.added_tokens_decoder.items())}
        text = json.dumps([_VERSION, self.tokenizer.chat_template, added], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:24]

    @property
    def end_id(self) -> int:
        """The token that ends an assistant's turn."""
        parts = self._layout(("user", "assistant"), False)
        last = max(index for index, part in enumerate(parts) if part.slot is not None)
        tail = parts[last + 1].ids if last + 1 < len(parts) else ()
        if not tail:
            raise UserError("chat template: nothing follows the assistant's content; no end token")
        return tail[0]

    def encode(self, messages: Messages, add_generation_prompt: bool = False) -> list[int]:
        """Token ids of one conversation; see `encode_many`."""
        return self.encode_many([messages], add_generation_prompt)[0]

    def encode_many(
        self, conversations: Sequence[Messages], add_generation_prompt: bool = False
    ) -> list[list[int]]:
        """Token ids of conversations, each with exactly one BOS where the tokenizer has one.

        A conversation that ends with the assistant's message ends with the end token.
        """
        pieces = self._pieces(conversations, add_generation_prompt)
        return [[token for _, ids in parts for token in ids] for parts in pieces]

    def encode_answers(
        self, conversations: Sequence[Messages]
    ) -> list[tuple[list[int], list[bool]]]:
        """Token ids, and for each whether an assistant said it (each turn's end token included)."""
        result = []
        for conversation, parts in zip(
            conversations, self._pieces(conversations, False), strict=True
        ):
            tokens: list[int] = []
            said: list[bool] = []
            ended = False  # whether the part before was an assistant's content
            for slot, ids in parts:
                answer = slot is not None and conversation[slot]["role"] == "assistant"
                tokens += ids
                said += [answer or (ended and place == 0) for place in range(len(ids))]
                ended = answer
            result.append((tokens, said))
        return result

    def _pieces(
        self, conversations: Sequence[Messages], add_generation_prompt: bool
    ) -> list[list[tuple[int | None, Sequence[int]]]]:
        """Per conversation its parts in order: the message they hold, if any, and the token ids."""
        layouts = [
            self._layout(tuple(message["role"] for message in conversation), add_generation_prompt)
            for conversation in conversations
        ]
        texts = [
            _stripped(conversation[part.slot]["content"], part.strip)
            for conversation, layout in zip(conversations, layouts, strict=True)
            for part in layout
            if part.slot is not None
        ]
        contents = iter(self._contents(texts))
        return [
            [(part.slot, part.ids if part.slot is None else next(contents)) for part in layout]
            for layout in layouts
        ]

    def completions(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of assistant responses as they follow a generation prompt, end included."""
        return [[*ids, self.end_id] for ids in self._contents(texts)]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of sampled tokens, control tokens left out."""
        return str(self.tokenizer.decode(list(ids), skip_special_tokens=True))

    def _contents(self, texts: Sequence[str]) -> list[list[int]]:
        encoded = [item.ids for item in self._plain.encode_batch(texts, add_special_tokens=False)]
        for text, ids in zip(texts, encoded, strict=True):
            if not self._special.isdisjoint(ids):
                raise UserError(f"chat template: a control token inside content: {text[:80]!r}")
        return encoded

    def _layout(self, roles: tuple[str, ...], prompt: bool) -> tuple[Part, ...]:
        key = (roles, prompt)
        if key not in self._layouts:
            self._layouts[key] = self._render(roles, prompt)
        return self._layouts[key]

    def _render(self, roles: tuple[str, ...], prompt: bool) -> tuple[Part, ...]:
        """Render the template once with marks in place of the contents, and cut it at the marks."""
        marked = [
            {"role": role, "content": f"{_PAD}\ue000{slot}\ue001{_PAD}"}
            for slot, role in enumerate(roles)
        ]
        text = self.tokenizer.apply_chat_template(
            marked, tokenize=False, add_generation_prompt=prompt
        )
        parts: list[Part] = []
        position = 0
        for match in _MARK.finditer(text):
            # A template that trims contents has eaten the padding; then contents are trimmed too.
            left, right = match[1].endswith(_PAD), match[3].startswith(_PAD)
            before = text[position : match.end(1) - left]
            parts += self._structure(before)
            parts.append(Part(slot=int(match[2]), strip=(not left, not right)))
            position = match.start(3) + right
        parts += self._structure(text[position:])
        return self._one_bos(self._cut_tail(parts, roles, prompt))

    def _structure(self, text: str) -> list[Part]:
        ids = self.tokenizer(text, add_special_tokens=False)["input_ids"] if text else []
        return [Part(ids=tuple(ids))] if ids else []

    def _cut_tail(self, parts: list[Part], roles: tuple[str, ...], prompt: bool) -> list[Part]:
        """End a finished conversation at its end token; some templates add a line break to it."""
        if prompt or not roles or roles[-1] != "assistant" or parts[-1].slot is not None:
            return parts
        return [*parts[:-1], Part(ids=parts[-1].ids[:1])]

    def _one_bos(self, parts: list[Part]) -> tuple[Part, ...]:
        bos = self.tokenizer.bos_token_id
        if bos is None:
            return tuple(parts)
        first = parts[0].ids if parts else ()
        if bos not in first:
            return (Part(ids=(bos,)), *parts)
        if first[0] != bos or first[1:2] == (bos,):
            raise UserError("chat template: it does not put exactly one BOS at the start")
        return tuple(parts)


def _stripped(text: str, strip: tuple[bool, bool]) -> str:
    left, right = strip
    text = text.lstrip() if left else text
    return text.rstrip() if right else text


def _without_control(tokenizer: Any) -> tokenizers.Tokenizer:
    """A copy of the tokenizer's backend that has no added tokens and adds none."""
    state = json.loads(tokenizer.backend_tokenizer.to_str())
    state["added_tokens"] = []
    state["post_processor"] = None
    state["truncation"] = None
    state["padding"] = None
    return tokenizers.Tokenizer.from_str(json.dumps(state))
