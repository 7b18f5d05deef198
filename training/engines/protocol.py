"""The protocol between the stages and whatever runs a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Draw:
    """One response to draw: its own 64-bit seed and temperature."""

    seed: int
    temperature: float


@dataclass(frozen=True)
class Request:
    """One prompt and the responses to draw for it."""

    prompt: list[int]
    draws: tuple[Draw, ...]


@dataclass(frozen=True)
class Response:
    """One drawn response: token ids, end token included, and why it ended (stop or length)."""

    token_ids: list[int]
    finish_reason: str


class Sampler(Protocol):
    """Draws responses from a policy."""

    name: str
    version: str
    context: int

    def sample(
        self, requests: Sequence[Request], max_new_tokens: int, stop: Sequence[int] = ()
    ) -> list[list[Response]]:
        """Responses per request, in the order of its draws.

        A response ends with the tokenizer's end tokens or a token of `stop`, which it includes.
        """
        ...

    def close(self) -> None:
        """Give back the memory it holds; it can't be used again."""
        ...


class Scorer(Protocol):
    """Scores token sequences with a one-label classifier."""

    name: str
    dtype: str

    def score(
        self, items: Sequence[Sequence[int]], prompts: Sequence[int] | None = None
    ) -> list[float]:
        """The raw score (no sigmoid) of each sequence, read at its last token.

        `prompts` says how many leading tokens of each are its prompt, to be computed once.
        """
        ...
