"""What every judge is: the responses to one prompt in, one verdict for each out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from training.core.chat_template import Messages
from training.core.sampled import TEXT, Sampled
from training.judges.reward_model import Item, Verdict


@dataclass(frozen=True)
class Group:
    """One prompt and all responses to it, in the order of their ids, with what was sampled."""

    prompt: Messages
    responses: tuple[str, ...]
    sampled: tuple[Sampled, ...] = ()


class Judge(Protocol):
    """Judges responses; sha, template_sha and dtype are what the scores table records of it."""

    name: str
    sha: str
    template_sha: str
    dtype: str

    def judge(self, groups: Sequence[Group]) -> list[list[Verdict]]:
        """One verdict per response of every group."""
        ...


class Rater(Protocol):
    """Rates each response by itself."""

    def judge(
        self, items: Sequence[Item], sampled: Sequence[Sampled] | None = None
    ) -> list[Verdict]:
        """One verdict per (prompt messages, response), read as it was sampled where it was."""
        ...


def rate(rater: Rater, groups: Sequence[Group]) -> list[list[Verdict]]:
    """Verdicts per group of a judge that looks at one response at a time."""
    items = [(group.prompt, response) for group in groups for response in group.responses]
    drawn = [one for group in groups for one in group.sampled or [TEXT] * len(group.responses)]
    verdicts = iter(rater.judge(items, drawn))
    return [[next(verdicts) for _ in group.responses] for group in groups]
