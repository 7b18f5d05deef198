"""What a judge said of a benchmark's items: scores of the responses, or decisions of games."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from training.bench.rewards import items as reading
from training.bench.rewards import judge_bench
from training.bench.rewards.items import Item
from training.bench.rewards.judge_bench import Decisions
from training.core.statistics import Floats
from training.judges.pairwise import ByReward

if TYPE_CHECKING:
    from training.judges.pairwise import PairwiseJudge


@dataclass(frozen=True)
class Said:
    """Of every item: its responses' scores, or its games; JudgeBench may have both."""

    scores: list[Floats] = field(default_factory=list)
    decisions: list[Decisions] = field(default_factory=list)

    def nulls(self) -> int:
        """How many items lack a score or the verdict of a game; they count as wrong."""
        if self.decisions:
            return sum(None in games for games in self.decisions)
        return reading.unscored(self.scores)

    def of(self, places: Sequence[int]) -> Said:
        """The same of some of the items."""
        return Said(
            [self.scores[n] for n in places] if self.scores else [],
            [self.decisions[n] for n in places] if self.decisions else [],
        )


def ask(judge: PairwiseJudge, bench: str, items: Sequence[Item]) -> Said:
    """Scores of every response; of JudgeBench the decisions of both orders too."""
    if bench != "judgebench":
        return Said(reading.rewards(judge, items))
    if isinstance(judge, ByReward):
        scores = reading.rewards(judge, items)
        return Said(scores, [judge_bench.games(one) for one in scores])
    answers = judge.ask([(item.prompt, item.responses[0], item.responses[1]) for item in items])
    scores = [np.array([chance, 1.0 - chance]) for chance in answers.first_wins]
    games = zip(answers.straight, answers.swapped, strict=True)
    return Said(scores, [(_decision(one), _decision(1.0 - two)) for one, two in games])


def _decision(first: float) -> str | None:
    """In the letters of the game: A is what was shown first."""
    if np.isnan(first):
        return None
    return "A=B" if first == 0.5 else judge_bench.FIRST if first > 0.5 else judge_bench.SECOND
