"""Judges: a scorer that has proved on loading that it scores as it did when it was trained."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.core.errors import UserError
from training.core import checkpoint
from training.core.chat_template import ChatTemplate, Messages
from training.engines import choose
from training.engines.protocol import Scorer
from training.engines.settings import Engine
from training.judges import debiased

REFERENCES = 8  # stored scores per reward model
TOLERANCE = {"float32": 1e-3, "bfloat16": 0.1, "float16": 0.05}  # engines round differently

Item = tuple[Messages, str]


@dataclass(frozen=True)
class Verdict:
    """A raw reward, or None and the reason why there is none."""

    reward: float | None
    reason: str | None = None


def reference_scores(path: Path, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Scores of a few training sequences in float32, to be stored with the model."""
    few = rows[: REFERENCES // 2]
    items = [row[side] for row in few for side in ("chosen_ids", "rejected_ids")]
    scores = choose.scorer(Engine(), path).score(items)
    return [{"ids": ids, "score": score} for ids, score in zip(items, scores, strict=True)]


class RewardModelJudge:
    """Scores (prompt, response) with a reward model.

    Raises:
        UserError: the stored reference scores are not reproduced: it was loaded wrongly.
    """

    def __init__(self, path: Path, engine: Engine) -> None:
        self.card = checkpoint.card(path)
        self.name = str(self.card.get("name", f"reward_model/{path.name}"))
        self.sha = checkpoint.weights_sha(path)
        self._slope = float(self.card.get("length_slope", 0.0))  # of a debiased reward
        if self._slope:
            self.sha = debiased.sha(self.sha, self._slope)
        self.template = ChatTemplate(checkpoint.load_tokenizer(path))
        self.dtype = engine.dtype
        self._scorer: Scorer = choose.scorer(engine, path)
        self._replay(path)

    def judge(self, items: Sequence[Item]) -> list[Verdict]:
        """One verdict per (prompt messages, response text); a failed one is None with a reason."""
        scores = self._scorer.score(*self.encode(items))
        return [
            _verdict(score - self._slope * len(response))
            for score, (_, response) in zip(scores, items, strict=True)
        ]

    def encode(self, items: Sequence[Item]) -> tuple[list[list[int]], list[int]]:
        """Token ids of prompt and response, as the model was trained on them; prompt lengths."""
        prompts = self.template.encode_many([prompt for prompt, _ in items], True)
        answers = self.template.completions([response for _, response in items])
        whole = [prompt + answer for prompt, answer in zip(prompts, answers, strict=True)]
        return whole, [len(prompt) for prompt in prompts]

    def _replay(self, path: Path) -> None:
        stored = self.card.get("reference_scores", [])
        now = self._scorer.score([row["ids"] for row in stored])
        bound = TOLERANCE[self.dtype]
        for row, score in zip(stored, now, strict=True):
            if not abs(row["score"] - score) <= bound:
                raise UserError(
                    f"{path}: scores {score:.6f} where {row['score']:.6f} is stored "
                    f"(tolerance {bound}); the reward model is not loaded as it was trained"
                )


def _verdict(score: float) -> Verdict:
    return Verdict(score) if math.isfinite(score) else Verdict(None, f"not finite: {score}")
