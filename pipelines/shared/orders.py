"""What is to be sampled: from which policies, how many responses, and how."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from training.engines.protocol import PLAIN, Sampling


@dataclass(frozen=True)
class Order:
    """What is to be sampled from every prompt.

    Attributes:
        turns: the policies that answer, the first one's tokenizer encodes the prompts.
        stop: texts of one token each that end a response, beside the template's own end.
        recipe: file that states all this, named in errors.
        pool: file that the prompts are from, named in errors.
        sampling: top_p, top_k, min_p and repetition_penalty, the same in every engine.
    """

    stage: str
    turns: tuple[Turn, ...]
    temperatures: tuple[float, ...]
    max_new_tokens: int
    seed: int
    recipe: Path
    pool: Path
    stop: tuple[str, ...] = ()
    sampling: Sampling = PLAIN

    @property
    def draws(self) -> int:
        """Responses to one prompt, of all policies together."""
        return sum(turn.n for turn in self.turns)


@dataclass(frozen=True)
class Turn:
    """One policy's part of an order: its n responses to a prompt are numbered from `first`."""

    policy: str
    path: Path
    n: int
    first: int = 0
