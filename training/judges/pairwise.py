"""Any judge as a pairwise one: P(first response better), from a checkpoint or an oracle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from scipy import special

from curation.core.errors import UserError
from training.core import checkpoint
from training.core.statistics import Floats
from training.engines.settings import Engine
from training.judges.comparing import PreferenceModel, Question
from training.judges.multi_head import MultiHeadJudge
from training.judges.reward_model import Item, RewardModelJudge, Verdict


@dataclass(frozen=True)
class Answers:
    """P(first better) as asked in both orders; the same for a judge that sees one at a time.

    NaN where the judge gave no verdict.
    """

    straight: Floats
    swapped: Floats  # P(first better) again, asked with the second response shown first

    @property
    def first_wins(self) -> Floats:
        """Both orders averaged, so that position has no say."""
        mean: Floats = (self.straight + self.swapped) / 2.0
        return mean

    def inconsistency(self) -> float:
        """Share of questions with a verdict whose winner changes with the order."""
        known = np.isfinite(self.first_wins)
        return float(((self.straight > 0.5) != (self.swapped > 0.5))[known].mean())


class Rater(Protocol):
    """Rates single responses: a reward model, a multi-head one, the oracle."""

    name: str

    def judge(self, items: Sequence[Item]) -> Sequence[Verdict]:
        """One verdict per (prompt messages, response)."""
        ...


class PairwiseJudge(Protocol):
    """Compares two responses to one prompt."""

    name: str
    has_position: bool  # whether the order of the two responses can matter

    def ask(self, questions: Sequence[Question]) -> Answers:
        """P(first better) of each (prompt, first, second)."""
        ...


class ByReward:
    """A judge of single responses: P = sigmoid(reward difference), as Bradley-Terry has it."""

    has_position = False

    def __init__(self, judge: Rater) -> None:
        self.name = judge.name
        self._judge = judge

    def ask(self, questions: Sequence[Question]) -> Answers:
        """P(first better) of each question; NaN where either response has no reward."""
        first = self.rewards([(prompt, one) for prompt, one, _ in questions])
        second = self.rewards([(prompt, two) for prompt, _, two in questions])
        chance: Floats = special.expit(first - second)
        return Answers(chance, chance)

    def rewards(self, items: Sequence[Item]) -> Floats:
        """The reward of each (prompt, response); NaN where there is none."""
        return _rewards(self._judge.judge(items))


class ByPreference:
    """The pairwise preference model, asked in both orders."""

    has_position = True

    def __init__(self, path: Path, engine: Engine) -> None:
        self.name = str(checkpoint.card(path).get("name", path.name))
        self._model = PreferenceModel(path, engine.batch_tokens, engine.dtype)

    def ask(self, questions: Sequence[Question]) -> Answers:
        """P(first better) of each question, in both orders."""
        straight = self._model.first_wins(questions)
        swapped = self._model.first_wins([(prompt, b, a) for prompt, a, b in questions])
        return Answers(straight, 1.0 - swapped)


def load(path: Path, engine: Engine) -> PairwiseJudge:
    """The judge of a checkpoint: reward model, multi-head or preference model, as its card says.

    Raises:
        UserError: its card names another kind.
    """
    kind = checkpoint.card(path).get("kind", "reward_model")
    if kind == "reward_model":
        return ByReward(RewardModelJudge(path, engine))
    if kind == "preference_model":
        return ByPreference(path, engine)
    if kind == "multi_head":
        return ByReward(MultiHeadJudge(path, engine.batch_tokens))
    raise UserError(
        f"{path}: is a {kind}; a judge is a reward_model, a multi_head or a preference_model"
    )


def _rewards(verdicts: Sequence[Verdict]) -> Floats:
    return np.array([np.nan if item.reward is None else item.reward for item in verdicts])
