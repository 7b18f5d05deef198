"""The protocol between the stages and whatever runs a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from training.core.vocabulary import Fault


@dataclass(frozen=True)
class Draw:
    """One response to draw: its own 64-bit seed and temperature (0 is the likeliest token)."""

    seed: int
    temperature: float


@dataclass(frozen=True)
class Request:
    """One prompt and the responses to draw for it."""

    prompt: list[int]
    draws: tuple[Draw, ...]


@dataclass(frozen=True)
class Sampling:
    """What the recipe says of sampling beside temperature and length; as it stands it is plain.

    Every engine is told all of it, so that a model's own generation_config.json decides nothing.
    They apply it in the order of vLLM: repetition penalty, temperature, min_p, top_k, top_p.

    Attributes:
        top_p: the likeliest tokens that hold this probability together; 1 keeps all.
        top_k: so many of the likeliest tokens; 0 keeps all.
        min_p: tokens at least so likely as this share of the likeliest; 0 keeps all.
        repetition_penalty: over 1 makes tokens of the prompt and the response less likely.
    """

    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    repetition_penalty: float = 1.0


PLAIN = Sampling()


@dataclass(frozen=True)
class Rules:
    """How every response of a call is drawn: the most tokens, further end tokens, sampling."""

    max_new_tokens: int
    stop: Sequence[int] = ()
    sampling: Sampling = PLAIN


@dataclass(frozen=True)
class Response:
    """One drawn response: token ids, end token included, and why it ended (stop or length).

    A draw that failed says why; it is no response.
    """

    token_ids: list[int]
    finish_reason: str
    fault: Fault | None = None

    @property
    def said(self) -> list[int]:
        """The token ids without the one that ended it."""
        return self.token_ids[:-1] if self.finish_reason == "stop" else self.token_ids


class Sampler(Protocol):
    """Draws responses from a policy."""

    name: str
    version: str
    context: int

    def sample(
        self,
        requests: Sequence[Request],
        max_new_tokens: int,
        stop: Sequence[int] = (),
        sampling: Sampling = PLAIN,
    ) -> list[list[Response]]:
        """Responses per request, in the order of its draws.

        A response ends with an end token of the model (training.core.vocabulary) or of `stop`,
        which it includes. What the tokenizer does not know is never drawn.
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
        """The raw score (no sigmoid) of each sequence, read where plain transformers reads it.

        `prompts` says how many leading tokens of each are its prompt, to be computed once.
        """
        ...

    def close(self) -> None:
        """Give back the memory it holds; it can't be used again."""
        ...
