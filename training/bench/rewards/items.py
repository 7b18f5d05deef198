"""One row of a benchmark of reward models, from whatever file, and a judge's scores of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from training.core.chat_template import Messages
from training.core.statistics import Floats
from training.judges.pairwise import ByReward

if TYPE_CHECKING:
    from training.judges.pairwise import PairwiseJudge


@dataclass(frozen=True)
class Item:
    """A prompt and responses to it, some of them right.

    Attributes:
        key: the row's id in its file.
        group: what its figures are told by: subset, domain or source.
        right: places of the right responses; all of them where people saw a tie.
        row: the file's own row.
    """

    key: str
    group: str
    prompt: Messages
    responses: tuple[str, ...]
    right: tuple[int, ...]
    row: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def wrong(self) -> tuple[int, ...]:
        """Places of the other responses."""
        return tuple(n for n in range(len(self.responses)) if n not in self.right)


def rewards(judge: PairwiseJudge, items: Sequence[Item]) -> list[Floats]:
    """One score a response of every item; NaN where the judge gave none.

    A judge that compares pairs has no scores: a response's is its mean chance against the others,
    each asked in both orders.
    """
    ends = np.cumsum([len(item.responses) for item in items])[:-1]
    if isinstance(judge, ByReward):
        asked = [(item.prompt, text) for item in items for text in item.responses]
        return list(np.split(judge.rewards(asked), ends))
    pairs = [
        (place, one, two)
        for place, item in enumerate(items)
        for one in range(len(item.responses))
        for two in range(one + 1, len(item.responses))
    ]
    found = [np.zeros(len(item.responses)) for item in items]
    questions = [
        (items[place].prompt, items[place].responses[one], items[place].responses[two])
        for place, one, two in pairs
    ]
    chances = judge.ask(questions).first_wins
    for (place, one, two), chance in zip(pairs, chances, strict=True):
        others = len(found[place]) - 1
        found[place][one] += chance / others
        found[place][two] += (1.0 - chance) / others
    return found


def unscored(scores: Sequence[Floats]) -> int:
    """How many items hold a response without a score: they count as wrong."""
    return sum(bool(np.isnan(each).any()) for each in scores)
