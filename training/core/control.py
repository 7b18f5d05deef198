"""Control tokens: those of the tokenizer and those a template writes, kept out of contents.

A content may spell a control token. Each such place is marked before the template is rendered;
where a text has marks, it is cut at the control tokens that the template wrote itself, and what
lies between is tokenised by a copy of the tokenizer that knows none. Texts without marks, all but
a few, go through the tokenizer whole.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import tokenizers

from curation.core.errors import UserError

_OPEN, _SHUT = "\ue000", "\ue001"
Offsets = list[tuple[int, int]]


@dataclass(frozen=True)
class Encoded:
    """A text, its token ids, and the characters that each stands for."""

    text: str
    ids: list[int]
    offsets: Offsets

    def token_at(self, place: int) -> int:
        """The first token that begins at a character, or behind it."""
        return bisect_left(self.offsets, place, key=lambda span: span[0])


class Control:
    """The control tokens of one tokenizer with one template.

    Args:
        tokenizer: a fast tokenizer of transformers.
        written: further tokens, by name, that only the template may write.
    """

    def __init__(self, tokenizer: Any, written: Iterable[str] = ()) -> None:
        self._tokenizer = tokenizer
        added = tokenizer.added_tokens_decoder
        special = {str(token): int(index) for index, token in added.items() if token.special}
        self.ids = special | {name: int(tokenizer.convert_tokens_to_ids(name)) for name in written}
        self._set = frozenset(self.ids.values())
        # Some tokens (Phi-3's) take the blanks beside them with them.
        self._before = {str(token) for token in added.values() if token.lstrip}
        self._after = {str(token) for token in added.values() if token.rstrip}
        names = "|".join(re.escape(name) for name in sorted(self.ids, key=len, reverse=True))
        names = names or r"(?!)"
        said = f"{names}|{_OPEN}|{_SHUT}"  # a content that holds a mark has it marked too
        self._names = re.compile(said)
        # A mark that stands alone is of a pair that the template has cut in two.
        self._marked = re.compile(f"{_OPEN}({said}){_SHUT}|({names})|{_OPEN}|{_SHUT}")

    def __contains__(self, token: int) -> bool:
        return token in self._set

    def mark(self, content: str) -> str:
        """The content with a mark around every control token that it spells."""
        return self._names.sub(lambda found: f"{_OPEN}{found[0]}{_SHUT}", content)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of rendered texts, which may hold marks."""
        plain = [text for text in texts if not _has_marks(text)]
        read = iter(self._call(plain)["input_ids"] if plain else ())
        return [self._apart(text).ids if _has_marks(text) else next(read) for text in texts]

    def encode_with_offsets(self, texts: Sequence[str]) -> list[Encoded]:
        """Like `encode`, with the texts less their marks, and where in them each token lies."""
        plain = [text for text in texts if not _has_marks(text)]
        read = self._call(plain, return_offsets_mapping=True) if plain else {}
        found = zip(read.get("input_ids", ()), read.get("offset_mapping", ()), strict=True)
        return [
            self._apart(text) if _has_marks(text) else Encoded(text, *next(found)) for text in texts
        ]

    def misread(self, texts: Iterable[str]) -> str | None:
        """A control token that a text spells and that this tokenizer can't read as text."""
        for text in texts:
            if self._names.search(text):
                read = self._plain_later.encode(text, add_special_tokens=False)
                if control := self._set.intersection(read.ids):
                    return str(self._tokenizer.decode([min(control)]))
        return None

    def unmarked(self, text: str) -> str:
        """The text less its marks."""
        if not _has_marks(text):
            return text
        return self._marked.sub(lambda found: found[1] or found[2] or "", text)

    def _call(self, texts: Sequence[str], **options: Any) -> Any:
        return self._tokenizer(
            list(texts), add_special_tokens=False, return_attention_mask=False, **options
        )

    def _apart(self, marked: str) -> Encoded:
        """Encode a text piece by piece between the control tokens that the template wrote."""
        text, ids, offsets, piece, last = "", [], [], "", 0
        before = ""  # the control token in front
        for found in [*self._marked.finditer(marked), None]:
            end = len(marked) if found is None else found.start()
            piece += marked[last:end]
            last = end if found is None else found.end()
            if found is not None and not found[2]:  # of a content: text
                piece += found[1] or ""
                continue
            name = "" if found is None else found[2]
            start, kept = self._beside(before, piece, name)
            read = self._read(kept, first=not text)
            ids += read.ids
            offsets += [(len(text) + start + a, len(text) + start + b) for a, b in read.offsets]
            text, piece, before = text + piece, "", name
            if name:
                ids.append(self.ids[name])
                offsets.append((len(text), len(text) + len(name)))
                text += name
        return Encoded(text, ids, offsets)

    def _beside(self, before: str, piece: str, behind: str) -> tuple[int, str]:
        """What two control tokens leave of the text between them, and where in it that begins."""
        kept = piece.lstrip() if before in self._after else piece
        start = len(piece) - len(kept)
        return start, kept.rstrip() if behind in self._before else kept

    def _read(self, piece: str, first: bool) -> tokenizers.Encoding:
        """Encode a piece as text, whatever it spells."""
        plain = self._plain_first if first else self._plain_later
        read = plain.encode(piece, add_special_tokens=False)
        if control := self._set.intersection(read.ids):
            raise UserError(
                f"chat template: this tokenizer reads {self._tokenizer.decode([min(control)])!r} "
                "as a control token also where it is text; filter it out (rule control_tokens)"
            )
        return read

    @cached_property
    def _plain_first(self) -> tokenizers.Tokenizer:
        return tokenizers.Tokenizer.from_str(self._plain_state)

    @cached_property
    def _plain_later(self) -> tokenizers.Tokenizer:
        """A prefix space that a tokenizer puts before a text does not belong before its pieces."""
        never = '"prepend_scheme": "never"'
        return tokenizers.Tokenizer.from_str(
            self._plain_state.replace('"prepend_scheme": "first"', never)
        )

    @cached_property
    def _plain_state(self) -> str:
        """The tokenizer's state without the control tokens.

        Added tokens are numbered in their order behind the vocabulary, so those that are not of it
        keep their place, under a name that no text has.
        """
        backend = self._tokenizer.backend_tokenizer
        vocabulary = backend.get_vocab(with_added_tokens=False)
        state: dict[str, Any] = json.loads(backend.to_str())
        kept = []
        for token in state["added_tokens"]:
            if token["content"] not in self.ids:
                kept.append(token)
            elif token["content"] not in vocabulary:
                kept.append({**token, "content": f"{_OPEN}{token['id']}{_SHUT}{_SHUT}"})
        nothing = {"post_processor": None, "truncation": None, "padding": None}
        return json.dumps({**state, "added_tokens": kept, **nothing})


def _has_marks(text: str) -> bool:
    return _OPEN in text or _SHUT in text
