"""Judges: a scorer that has proved on loading that it scores as it did when it was trained."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from curation.core.errors import UserError
from training.core import checkpoint, reward_head, vocabulary
from training.core.chat_template import ChatTemplate, Messages
from training.core.sampled import TEXT, Sampled, token_ids
from training.engines import choose
from training.engines.protocol import Scorer
from training.engines.settings import Engine
from training.judges import debiased
from training.judges.view import Reading, seen

TOLERANCE = {"float32": 1e-3, "bfloat16": 0.1, "float16": 0.05}  # engines round differently

PLAINLY = Reading()

Item = tuple[Messages, str]


@dataclass(frozen=True)
class Verdict:
    """A raw reward, or None and the reason why there is none."""

    reward: float | None
    reason: str | None = None


class Described:
    """What the scores table records of a reward model, told from its files alone.

    Attributes:
        slope: reward that a debiased model takes off for each character.
    """

    def __init__(self, path: Path, engine: Engine, reading: Reading = PLAINLY) -> None:
        self.card = checkpoint.card(path)
        self.name = str(self.card.get("name", f"reward_model/{path.name}"))
        self.sha = _sha(path, reading)
        self.slope = float(self.card.get("length_slope", 0.0))
        if self.slope:
            self.sha = debiased.sha(self.sha, self.slope)
        self.tokenizer = checkpoint.load_tokenizer(path)
        self.template = ChatTemplate(self.tokenizer)
        self.template_sha, self.dtype = self.template.sha, engine.dtype


class RewardModelJudge(Described):
    """Scores (prompt, response) with a reward model.

    A sequence that is longer than the model's context has no score, nor has one whose text spells
    a marker of turns of its template: the reward is null.

    Raises:
        UserError: a tensor of it is missing or left over, or the stored reference scores are not
            reproduced: it was loaded wrongly.
    """

    def __init__(self, path: Path, engine: Engine, reading: Reading = PLAINLY) -> None:
        super().__init__(path, engine, reading)
        own = vocabulary.context(path, self.tokenizer)
        self.context = min(own, reading.context or own)
        self._view = seen(path, reading)  # stays as long as the judge
        at = Path(self._view.name) if self._view else path
        self._mean = reward_head.pooling(path) == "mean"
        self._scorer: Scorer = choose.scorer(engine, at)
        self._replay(path)

    def judge(
        self, items: Sequence[Item], sampled: Sequence[Sampled] | None = None
    ) -> list[Verdict]:
        """One verdict per (prompt messages, response text); a failed one is None with a reason.

        Where it reads through the policy's own tokenizer and template, it reads what was sampled.
        """
        return readable(self.template, items, sampled or [TEXT] * len(items), self._verdicts)

    def close(self) -> None:
        """Give back the memory of its model; it can't judge any more."""
        self._scorer.close()

    def _verdicts(self, items: Sequence[Item], sampled: Sequence[Sampled]) -> list[Verdict]:
        ids, prompts = self.encode(items, sampled)
        unread = {
            k: reason for k in range(len(ids)) if (reason := self._unread(ids[k], prompts[k]))
        }
        fit = [place for place in range(len(ids)) if place not in unread]
        scores = self._scorer.score([ids[k] for k in fit], [prompts[k] for k in fit])
        found = dict(zip(fit, scores, strict=True))
        return [
            finite(found[place] - self.slope * len(items[place][1]))
            if place in found
            else unread[place]
            for place in range(len(ids))
        ]

    def _unread(self, ids: Sequence[int], prompt: int) -> Verdict | None:
        """The verdict of a sequence that can't be scored; None for any other."""
        if len(ids) > self.context:
            return too_long(len(ids), self.context)
        if self._mean and len(ids) == prompt:
            return Verdict(None, "empty: the response has no token to take the mean of")
        return None

    def encode(
        self, items: Sequence[Item], sampled: Sequence[Sampled] | None = None
    ) -> tuple[list[list[int]], list[int]]:
        """Token ids of prompt and response, as the model was trained on them; prompt lengths."""
        return encode(self.template, items, sampled or [TEXT] * len(items))

    def _replay(self, path: Path) -> None:
        stored = self.card.get("reference_scores", [])
        prompts = [row["prompt"] for row in stored] if self._mean else None
        now = self._scorer.score([row["ids"] for row in stored], prompts)
        bound = TOLERANCE[self.dtype]
        for row, score in zip(stored, now, strict=True):
            if not abs(row["score"] - score) <= bound:
                raise UserError(
                    f"{path}: scores {score:.6f} where {row['score']:.6f} is stored "
                    f"(tolerance {bound}); the reward model is not loaded as it was trained"
                )


def encode(
    template: ChatTemplate, items: Sequence[Item], sampled: Sequence[Sampled]
) -> tuple[list[list[int]], list[int]]:
    """Token ids of prompt and response through a template, and the prompts' lengths."""
    asked, texts = [prompt for prompt, _ in items], [response for _, response in items]
    prompts = template.encode_many(asked, True)
    answers = token_ids(template, asked, texts, sampled)
    whole = [prompt + answer for prompt, answer in zip(prompts, answers, strict=True)]
    return whole, [len(prompt) for prompt in prompts]


def readable(
    template: ChatTemplate,
    items: Sequence[Item],
    sampled: Sequence[Sampled],
    judge: Callable[[Sequence[Item], Sequence[Sampled]], list[Verdict]],
) -> list[Verdict]:
    """Verdicts of the items that a template can be asked; the others are null with a reason."""
    reasons = [spelled(template, prompt, response) for prompt, response in items]
    fit = [place for place, reason in enumerate(reasons) if reason is None]
    found = judge([items[place] for place in fit], [sampled[place] for place in fit])
    by_place = dict(zip(fit, found, strict=True))
    return [by_place.get(place, Verdict(None, reason)) for place, reason in enumerate(reasons)]


def spelled(template: ChatTemplate, prompt: Messages, *texts: str) -> str | None:
    """Why a template can't be asked about a prompt and texts: one spells a marker of turns."""
    marker = template.marker_in(*(message["content"] for message in prompt), *texts)
    return None if marker is None else f"control tokens: spells {marker}, a marker of turns"


def too_long(tokens: int, context: int) -> Verdict:
    """No reward for a sequence that goes past the judge's context: it would be a made-up one."""
    return Verdict(None, f"over context: {tokens} tokens, the judge reads {context}")


def _sha(path: Path, reading: Reading) -> str:
    own = checkpoint.weights_sha(path)
    if not reading.changes:
        return own
    return hashlib.sha256("|".join([own, *reading.changes]).encode()).hexdigest()[:24]


def finite(score: float) -> Verdict:
    """The verdict of a score."""
    return Verdict(score) if math.isfinite(score) else Verdict(None, f"not finite: {score}")
