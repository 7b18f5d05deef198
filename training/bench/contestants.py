"""A chat benchmark's questions and one model's answers to them, whatever file they came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training.core.chat_template import Message

BENCHES = ("alpaca_eval", "mt_bench", "arena_hard")
PAIRWISE = ("alpaca_eval", "arena_hard")  # against a baseline; MT-Bench rates each answer

# FastChat's temperatures by category of MT-Bench (llm_judge/common.py); other categories 0.7.
MT_BENCH_HEAT = {
    "writing": 0.7,
    "roleplay": 0.7,
    "extraction": 0.0,
    "math": 0.0,
    "coding": 0.0,
    "reasoning": 0.0,
    "stem": 0.1,
    "humanities": 0.1,
}
ARENA_HARD_HEAT = 0.0

# Most tokens of an answer: FastChat's gen_model_answer.py, Arena-Hard's api configuration.
# AlpacaEval leaves it to the model's maker, here to the recipe.
TOKENS = {"mt_bench": 1024, "arena_hard": 4096}
WITH_REFERENCE = ("math", "reasoning", "coding")  # categories graded beside a reference answer


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes:
        key: its id in the file; AlpacaEval's is the instruction itself.
        turns: what the user says, one text a turn.
        category: MT-Bench's category, AlpacaEval's dataset.
        reference: MT-Bench's reference answers, one a turn; empty where it has none.
    """

    key: str | int
    turns: tuple[str, ...]
    category: str | None = None
    reference: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelAnswers:
    """One model's answers: by question key, one text a turn."""

    model: str
    turns: dict[str, tuple[str, ...]]

    def of(self, question: Question) -> tuple[str, ...]:
        """The answers to one question."""
        return self.turns[str(question.key)]


def heat(bench: str, question: Question, default: float) -> float:
    """The temperature that the benchmark asks for; AlpacaEval leaves it to the model's maker."""
    if bench == "mt_bench":
        return MT_BENCH_HEAT.get(question.category or "", 0.7)
    return ARENA_HARD_HEAT if bench == "arena_hard" else default


def dialogue(asked: Sequence[str], said: Sequence[str]) -> list[Message]:
    """Messages from the turns of both, the user's first; what is said may be one turn shorter."""
    messages = []
    for turn, text in enumerate(asked):
        messages.append({"role": "user", "content": text})
        if turn < len(said):
            messages.append({"role": "assistant", "content": said[turn]})
    return messages
