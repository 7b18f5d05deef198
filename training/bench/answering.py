"""Answers of a checkpoint to a benchmark's questions, turn by turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from training.core.chat_template import ChatTemplate, Messages
from training.core.seeds import sample_seed
from training.engines.protocol import Draw, Request, Sampler

OVER_CONTEXT = "over_context"


@dataclass(frozen=True)
class QuestionTurn:
    """One turn of one question: the conversation up to it, and how its answer is drawn."""

    key: str
    turn: int
    messages: Messages
    temperature: float


@dataclass(frozen=True)
class Said:
    """An answer and why it ended: stop, length, over_context (empty: no room), or a fault."""

    text: str
    end: str
    tokens: int


def answer(
    sampler: Sampler, template: ChatTemplate, asked: Sequence[QuestionTurn], tokens: int, seed: int
) -> list[Said]:
    """One answer per turn asked, in order; each has a seed of its own.

    Args:
        tokens: at most so many new ones.
        seed: the named seed that the seeds of all answers are hashed from.
    """
    prompts = template.encode_many([one.messages for one in asked], add_generation_prompt=True)
    room = sampler.context - tokens
    fitting = [place for place, prompt in enumerate(prompts) if len(prompt) <= room]
    requests = [_request(asked[place], prompts[place], seed) for place in fitting]
    found = [Said("", OVER_CONTEXT, 0)] * len(asked)
    for place, (drawn,) in zip(fitting, sampler.sample(requests, tokens), strict=True):
        end = drawn.finish_reason if drawn.fault is None else drawn.fault.rule
        found[place] = Said(template.decode(drawn.said), end, len(drawn.token_ids))
    return found


def _request(one: QuestionTurn, prompt: list[int], seed: int) -> Request:
    draw = Draw(sample_seed(seed, one.key, one.turn), one.temperature)
    return Request(prompt, (draw,))
