"""A small iteration written as a literal: prompt -> [(text, reward), ...]."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl
import pytest

from curation.core.schema import GENERATIONS, MESSAGES, PROMPTS, SCORES
from curation.pairing.cut import Tables
from curation.pairing.pairs import Made, make
from curation.pairing.rules import Rules

Said = tuple[str, float | None]


@dataclass(frozen=True)
class World:
    """The three tables a pairing reads."""

    generations: pl.DataFrame
    scores: pl.DataFrame
    prompts: pl.DataFrame

    def make(self, rules: Rules, verdicts: pl.DataFrame | None = None) -> Made:
        """Pair them."""
        tables = (self.generations.lazy(), self.scores.lazy(), self.prompts.lazy())
        return make(Tables(*tables, "iter1", verdicts), rules)


def _generation(prompt: str, sample: int, text: str, cut: Sequence[str]) -> dict[str, object]:
    return {
        "generation_id": f"{prompt}-{sample}",
        "prompt_id": prompt,
        "sample": sample,
        "response": text,
        "token_ids": [0] * (len(text) + 1),
        "n_tokens": len(text) + 1,
        "n_chars": len(text),
        "finish_reason": "length" if f"{prompt}-{sample}" in cut else "stop",
        "seed": sample,
        "temperature": 1.0,
        "policy": "sft",
        "policy_sha": "0",
        "engine": "transformers",
        "engine_version": "1",
    }


def _score(prompt: str, sample: int, reward: float | None, judge: str) -> dict[str, object]:
    return {
        "generation_id": f"{prompt}-{sample}",
        "judge": judge,
        "reward": reward,
        "reason": "no number in the answer" if reward is None else None,
        "judge_sha": "0",
        "template_sha": "0",
        "dtype": "float32",
    }


def build(
    said: Mapping[str, Sequence[Said]],
    cut: Sequence[str] = (),
    judges: Mapping[str, Mapping[str, Sequence[float]]] | None = None,
) -> World:
    """Tables of prompts and their (text, reward) responses.

    Args:
        said: prompt_id -> responses.
        cut: generation ids that stopped at the length limit.
        judges: further judges: name -> prompt_id -> reward per response.
    """
    generations, scores, prompts = [], [], []
    for prompt, answers in said.items():
        message = [{"role": "user", "content": f"ask {prompt}"}]
        prompts.append(
            {
                "prompt_id": prompt, "source": "toy", "source_row": prompt, "messages": message,
                "n_chars": 4, "n_tokens": None, "license": "mit", "bucket": 0.1, "split": "train",
                "map_x": 0.0, "map_y": 0.0, "cluster": 0,
            }
        )  # fmt: skip
        for sample, (text, reward) in enumerate(answers):
            generations.append(_generation(prompt, sample, text, cut))
            scores.append(_score(prompt, sample, reward, "rm"))
            for judge, rewards in (judges or {}).items():
                scores.append(_score(prompt, sample, rewards[prompt][sample], judge))
    return World(
        pl.DataFrame(generations, schema=GENERATIONS.polars),
        pl.DataFrame(scores, schema=SCORES.polars),
        pl.DataFrame(prompts, schema=PROMPTS.polars).with_columns(
            pl.col("messages").cast(MESSAGES)
        ),
    )


@pytest.fixture
def world() -> Callable[..., World]:
    """The builder of small iterations."""
    return build
