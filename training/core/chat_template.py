"""The one way from messages to token ids, shared by training, sampling and scoring.

A conversation is rendered whole by the tokenizer's chat template and tokenised whole, so its ids
are those of ``tokenizer(apply_chat_template(...))``. Control tokens that a content spells stay
text (`control`). A completion is what follows the ids of the generation prompt.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from curation.core.errors import UserError
from training.core import answering, spans, structure
from training.core.control import Control, Encoded
from training.core.rendering import Message, Messages, Renderer
from training.core.spans import Turn
from training.core.structure import Structure

__all__ = ["ChatTemplate", "Message", "Messages"]

_VERSION = "3"  # part of the hash: raise it when the encoding below changes
_ANCHORS = ("\n", "a", "1")
_ASKED: Messages = [{"role": "user", "content": "Name a bird."}]


class ChatTemplate:
    """Encodes conversations for one tokenizer.

    Args:
        tokenizer: a fast tokenizer of transformers that carries a chat template.

    Raises:
        UserError: the tokenizer has no chat template, or is not a fast one.
    """

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self._renderer = Renderer(tokenizer)

    @cached_property
    def sha(self) -> str:
        """Hash of what decides token ids: template, vocabulary, control tokens, this code."""
        state = json.loads(self.tokenizer.backend_tokenizer.to_str())
        read = [state[name] for name in ("model", "normalizer", "pre_tokenizer", "added_tokens")]
        named = {name: str(token) for name, token in self.tokenizer.special_tokens_map.items()}
        named.pop("pad_token", None)  # no template's text depends on it
        text = json.dumps([_VERSION, self._renderer.source, read, named], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:24]

    @cached_property
    def end_id(self) -> int:
        """The token that ends an assistant's turn.

        Raises:
            UserError: the template ends it with no token, or with what is not one special token.
        """
        tail = self.structure.tail
        for token in self._control.encode([tail])[0]:
            if token in self._control:
                return token
            if self.tokenizer.decode([token]).strip():
                break
        else:
            raise UserError(
                f"chat template of {self._renderer.name}: nothing follows the assistant's content; "
                "no end token; name another by base.chat_template"
            )
        raise UserError(
            f"chat template of {self._renderer.name}: an assistant's turn ends with {tail!r}, "
            "which is no special token of this tokenizer, so nothing would stop there; name a "
            "template that is the tokenizer's own by base.chat_template"
        )

    @cached_property
    def structure(self) -> Structure:
        """What the template writes around contents."""
        return structure.found(self._renderer, self.tokenizer)

    @cached_property
    def _control(self) -> Control:
        return Control(self.tokenizer, self.structure.tokens)

    @property
    def control_ids(self) -> frozenset[int]:
        """Tokens that no content holds: the special ones and those that the template writes."""
        return frozenset(self._control.ids.values())

    def encode(self, messages: Messages, add_generation_prompt: bool = False) -> list[int]:
        """Token ids of one conversation; see `encode_many`."""
        return self.encode_many([messages], add_generation_prompt)[0]

    def encode_many(
        self, conversations: Sequence[Messages], add_generation_prompt: bool = False
    ) -> list[list[int]]:
        """Token ids of conversations, as the tokenizer gives them for the rendered text.

        A conversation that ends with the assistant's message ends with the end token: what some
        templates write behind it, such as a line break, is left out.

        Raises:
            UserError: the template refuses a conversation or writes BOS twice, or a content spells
                a marker of turns.
        """
        texts = self._rendered(conversations, add_generation_prompt)
        ids = self._control.encode(texts)
        if add_generation_prompt:
            return ids
        return [
            self._ended(own) if _answered(messages) else own
            for own, messages in zip(ids, conversations, strict=True)
        ]

    def encode_answers(
        self, conversations: Sequence[Messages]
    ) -> list[tuple[list[int], list[bool]]]:
        """Token ids, and for each whether an assistant said it (each turn's end token included)."""
        places = [
            (row, place)
            for row, messages in enumerate(conversations)
            for place, message in enumerate(messages)
            if message["role"] == "assistant"
        ]
        texts = self._rendered(conversations, False)
        wholes = self._control.encode_with_offsets(texts)
        found = self._starts(conversations, places, texts, wholes)
        turns: list[list[Turn]] = [[] for _ in wholes]
        for (row, place), start in zip(places, found, strict=True):
            turns[row].append(Turn(start, conversations[row][place]["content"]))
        return [
            self._answers(whole, own, _answered(messages))
            for whole, own, messages in zip(wholes, turns, conversations, strict=True)
        ]

    def _answers(
        self, whole: Encoded, turns: Sequence[Turn], answered: bool
    ) -> tuple[list[int], list[bool]]:
        said = [False] * len(whole.ids)
        for first, last in spans.answers(whole, turns, self._control, self.structure.header):
            said[first:last] = [True] * (last - first)
        size = len(self._ended(whole.ids)) if answered else len(whole.ids)
        return whole.ids[:size], said[:size]

    def _starts(
        self,
        conversations: Sequence[Messages],
        places: Sequence[tuple[int, int]],
        texts: Sequence[str],
        wholes: Sequence[Encoded],
    ) -> list[int]:
        """First token of each assistant's turn: where it no longer agrees with what asks for it."""
        asked = [conversations[row][:place] for row, place in places if place]
        befores = iter(self._rendered(asked, True))
        result = []
        for row, place in places:
            whole = wholes[row]
            if not place:  # it opens the conversation
                content = conversations[row][0]["content"].strip()
                result.append(whole.token_at(max(whole.text.find(content), 0)))
                continue
            before = next(befores)
            if texts[row].startswith(before):
                result.append(whole.token_at(len(self._control.unmarked(before))))
            else:
                result.append(spans.agreeing(whole.ids, self._control.encode([before])[0]))
        return result

    def completions(
        self,
        texts: Sequence[str],
        prompts: Sequence[Messages] | None = None,
        cut: Sequence[bool] | None = None,
    ) -> list[list[int]]:
        """Token ids of assistant responses as they follow the ids of a generation prompt.

        Args:
            texts: the responses.
            prompts: what each of them answers; None is a short question.
            cut: which were cut at a limit; these get no end token. None means none.
        """
        asked = [_ASKED] * len(texts) if prompts is None else prompts
        before = self._rendered(asked, True)
        whole = [self._whole(*one) for one in zip(asked, texts, before, strict=True)]
        found = self._behind(before, whole)
        return [
            own[:-1] if cut is not None and cut[index] else own for index, own in enumerate(found)
        ]

    def continuations(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of texts that were said behind a generation prompt, as they stand.

        `completions` writes an answer as the template does, which may put a line or an empty block
        of thoughts in front; a model that was sampled said nothing but the text. The end token is
        included.
        """
        before = self._rendered([_ASKED] * len(texts), True)
        tail = self.structure.tail
        said = [self._control.mark(text) for text in texts]
        return self._behind(
            before, [start + text + tail for start, text in zip(before, said, strict=True)]
        )

    def _behind(self, before: Sequence[str], whole: Sequence[str]) -> list[list[int]]:
        """Ids of what follows the generation prompts, up to the end token."""
        unique = list(dict.fromkeys(before))
        starts = dict(zip(unique, self._control.encode(unique), strict=True))
        ids = self._control.encode(whole)
        result = []
        for start, text, read in zip(before, whole, ids, strict=True):
            known = starts[start]
            own = read[len(known) :] if read[: len(known)] == known else self._rest(start, text)
            result.append(self._ended(own))
        return result

    def _whole(self, prompt: Messages, text: str, before: str) -> str:
        """The generation prompt and the response with its end; see `answering`."""
        self._refuse_markers(text)
        answer = self._control.mark(text)
        said = [*self._marked(prompt), {"role": "assistant", "content": answer}]
        whole = self._renderer.render([said], False)[0]
        shape = self.structure
        return before + answering.behind(before, whole, answer, shape.tail, shape.trims)

    def _rest(self, start: str, whole: str) -> list[int]:
        """Ids of what follows a generation prompt whose last token would merge with it.

        A policy goes on behind that token, so the rest is tokenised by itself; a character in front
        that does not merge with it keeps a tokenizer from putting a space there.
        """
        rest = whole[len(start) :]
        for first in _ANCHORS:
            alone, held = self._control.encode([first, first + rest])
            if held[: len(alone)] == alone:
                return held[len(alone) :]
        return self._control.encode([rest])[0]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of sampled tokens, control tokens left out."""
        return str(self.tokenizer.decode(list(ids), skip_special_tokens=True))

    def marker_in(self, *texts: str) -> str | None:
        """The first marker of turns that a text spells, of those that can't be told from text.

        Where this is None for all contents of a conversation, none of them stops `encode`.
        """
        markers = self.structure.markers
        spelled = (marker for text in texts for marker in markers if marker in text)
        return next(spelled, None) or self._control.misread(texts)

    def _rendered(self, conversations: Sequence[Messages], prompt: bool) -> list[str]:
        return self._renderer.render([self._marked(one) for one in conversations], prompt)

    def _marked(self, messages: Messages) -> Messages:
        marked = []
        for message in messages:
            self._refuse_markers(message["content"])
            content = self._control.mark(message["content"])
            marked.append({"role": message["role"], "content": content})
        return marked

    def _refuse_markers(self, text: str) -> None:
        if (marker := self.marker_in(text)) is not None:
            raise UserError(
                f"chat template of {self._renderer.name}: the content {text[:60]!r} spells "
                f"{marker}, which begins or ends a turn there; filter it out (rule control_tokens)"
            )

    def _ended(self, ids: list[int]) -> list[int]:
        """Up to the end token, which is the last of its kind: no content holds it."""
        for place in range(len(ids) - 1, -1, -1):
            if ids[place] == self.end_id:
                return ids[: place + 1]
        raise UserError(
            f"chat template of {self._renderer.name}: an answer ends without the end token "
            f"{self.tokenizer.decode([self.end_id])!r}"
        )


def _answered(messages: Messages) -> bool:
    return bool(messages) and messages[-1]["role"] == "assistant"
