"""What a model's own files say of its tokens: which end a response, and which may not be in one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from training.core.chat_template import ChatTemplate

UNLIMITED = 1 << 30
"""The context of an architecture that states no limit (recurrent ones, and positions by ALiBi)."""
_LIMITS = (
    *("max_position_embeddings", "n_positions", "max_sequence_length", "max_seq_len"),
    *("seq_length", "context_length", "n_ctx", "model_max_length"),
)
_TOLD_BY_TOKENIZER = 10_000_000  # transformers writes 1e30 where a tokenizer knows no limit


@dataclass(frozen=True)
class Fault:
    """Why a draw failed: a rule for the ledger, and what was seen."""

    rule: str
    detail: str


@dataclass(frozen=True)
class Vocabulary:
    """The tokens of one model.

    Attributes:
        ends: each of them ends a response: the template's end of turn, the tokenizer's end, and
            every id that generation_config.json or config.json names.
        control: tokens that stand for structure: special ones, and what the template writes.
        known: ids that the tokenizer can decode.
        size: rows of the model's output; those that are not known are padding.
    """

    ends: frozenset[int]
    control: frozenset[int]
    known: frozenset[int]
    size: int

    @cached_property
    def unknown(self) -> list[int]:
        """Ids that the model can draw and the tokenizer does not know."""
        return [token for token in range(self.size) if token not in self.known]

    def fault(self, ids: Sequence[int], stopped: bool, stop: Sequence[int] = ()) -> Fault | None:
        """Why these ids are not a usable response, or None.

        Args:
            ids: what was drawn, the token that ended it included.
            stopped: whether a token ended it, and not the limit.
            stop: tokens that end a response beside `ends`.
        """
        ends = self.ends.union(stop)
        said = ids[:-1] if stopped else ids
        if not self.known.issuperset(ids):
            strange = next(token for token in ids if token not in self.known)
            return Fault("unknown_token", f"id {strange} is not in the tokenizer's vocabulary")
        if not ends.isdisjoint(said):
            place = next(k for k, token in enumerate(said) if token in ends)
            return Fault("past_end", f"goes on past end token {said[place]} at place {place}")
        if not self.control.isdisjoint(said):
            place = next(k for k, token in enumerate(said) if token in self.control)
            return Fault("control_token", f"control token {said[place]} at place {place}")
        if stopped and (not ids or ids[-1] not in ends):
            return Fault("no_end_token", "said to have stopped, but its last token is no end token")
        return None


def of(path: Path, tokenizer: Any, template: ChatTemplate) -> Vocabulary:
    """The vocabulary of a checkpoint, read from its files."""
    known = frozenset(tokenizer.get_vocab().values())
    config = _json(path / "config.json")
    size = next((int(part["vocab_size"]) for part in _parts(config) if "vocab_size" in part), 0)
    ends = {template.end_id, *ids(tokenizer.eos_token_id), *declared_ends(path)}
    control = template.control_ids | set(tokenizer.all_special_ids)
    return Vocabulary(frozenset(ends), control, known, size or max(known) + 1)


def declared_ends(path: Path) -> list[int]:
    """End tokens that a checkpoint's generation_config.json and config.json name, in order."""
    told = (_json(path / "generation_config.json"), *_parts(_json(path / "config.json")))
    return list(dict.fromkeys(one for part in told for one in ids(part.get("eos_token_id"))))


def context(path: Path, tokenizer: Any) -> int:
    """The most tokens a checkpoint takes, by whichever name its architecture has for it."""
    for part in _parts(_json(path / "config.json")):
        for name in _LIMITS:
            if isinstance(part.get(name), int) and part[name] > 0:
                return int(part[name])
    told = int(min(tokenizer.model_max_length, UNLIMITED))
    return told if told < _TOLD_BY_TOKENIZER else UNLIMITED


def ids(value: Any) -> list[int]:
    """An id, or a list of them, as a list."""
    if value is None:
        return []
    return [int(one) for one in value] if isinstance(value, list) else [int(value)]


def _parts(config: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A configuration, and that of the text model inside it, where it has one."""
    yield config
    for name in ("text_config", "llm_config", "language_config"):
        if isinstance(config.get(name), dict):
            yield config[name]


def _json(file: Path) -> dict[str, Any]:
    return dict(json.loads(file.read_text("utf-8"))) if file.is_file() else {}
