"""An LLM as a judge, behind an OpenAI-compatible endpoint."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.core.errors import UserError
from training.core.seeds import hash64
from training.engines.endpoint import Client, Endpoint, Failure
from training.judges.contests import Format, Result, play
from training.judges.protocol import Group
from training.judges.reward_model import Verdict
from training.judges.template import Template, as_text, load


@dataclass(frozen=True)
class Chat:
    """How the model is asked: what becomes part of the judge's hash."""

    temperature: float = 0.0
    max_tokens: int = 512
    seed: int = 0


@dataclass(frozen=True)
class Reply:
    """What a judge has written (None where nothing came) and what was read from it, or why not."""

    text: str | None
    result: Result


def ask(
    client: Client, chat: Chat, questions: Sequence[tuple[Template, list[dict[str, str]]]]
) -> list[Reply]:
    """Ask every question (its messages, and the template that reads the reply), all in flight.

    Raises:
        UserError: the endpoint is not there, refuses the key, or every request failed.
    """
    calls = [
        {
            "model": client.endpoint.model,
            "messages": messages,
            "temperature": chat.temperature,
            "seed": hash64("judge", chat.seed, json.dumps(messages)) >> 1,
            **(_WEIGHTED if template.weighted else {"max_tokens": chat.max_tokens}),
        }
        for template, messages in questions
    ]
    choices = client.chats(calls)
    return [
        _read(template, chat, choice)
        for (template, _), choice in zip(questions, choices, strict=True)
    ]


_WEIGHTED = {"max_tokens": 1, "logprobs": True, "top_logprobs": 5}  # AlpacaEval 2's own settings


def _read(template: Template, chat: Chat, choice: Any | Failure) -> Reply:
    if isinstance(choice, Failure):
        return Reply(None, choice.reason)
    text = choice.message.content
    if template.weighted:
        return Reply(text, _weighed(template, choice))
    if choice.finish_reason == "length":
        return Reply(text, f"the reply was cut at {chat.max_tokens} tokens")
    return Reply(text, template.read(text))


def _weighed(template: Template, choice: Any) -> Result:
    """The verdict of the first token's probabilities."""
    first = (choice.logprobs.content or [None])[0] if choice.logprobs else None
    if first is None:
        return "the endpoint sends no log-probabilities; give a template that is not weighted"
    return template.weigh({one.token: math.exp(one.logprob) for one in first.top_logprobs})


class LlmJudge:
    """Asks a served model for a rating of each response, or for the better one of two.

    A reply that does not parse, and a request that fails after its retries, is a null reward with
    the reason. The model behind the name may change without a sign: its name is all we record.
    """

    dtype = "served"

    def __init__(
        self, name: str, template: Path, endpoint: Endpoint, chat: Chat, contest: Format
    ) -> None:
        self.name = name
        self._template, self.template_sha = load(template)
        if self._template.needs_reference:
            raise UserError(f"{template}: asks for {{reference}}, which only a benchmark has")
        self._client = Client(endpoint)
        self._chat = chat
        self._contest = contest
        said = [endpoint.model, chat.temperature, chat.max_tokens, contest]
        self.sha = hashlib.sha256(json.dumps(said).encode()).hexdigest()[:24]

    def judge(self, groups: Sequence[Group]) -> list[list[Verdict]]:
        """One verdict per response of every group."""
        return self._rated(groups) if self._template.kind == "rating" else self._compared(groups)

    def _rated(self, groups: Sequence[Group]) -> list[list[Verdict]]:
        questions = [
            self._template.ask(prompt=as_text(group.prompt), response=response)
            for group in groups
            for response in group.responses
        ]
        found = iter(self._replies(questions))
        return [[_verdict(next(found)) for _ in group.responses] for group in groups]

    def _compared(self, groups: Sequence[Group]) -> list[list[Verdict]]:
        def ask(matches: Sequence[tuple[int, int, int]]) -> list[Result]:
            both = [order for g, i, j in matches for order in ((g, i, j), (g, j, i))]
            replies = self._replies([self._question(groups[g], i, j) for g, i, j in both])
            return [
                _averaged(straight, swapped)
                for straight, swapped in zip(replies[0::2], replies[1::2], strict=True)
            ]

        return play([len(group.responses) for group in groups], self._contest, ask)

    def _question(self, group: Group, first: int, second: int) -> list[dict[str, str]]:
        return self._template.ask(
            prompt=as_text(group.prompt),
            first=group.responses[first],
            second=group.responses[second],
        )

    def _replies(self, questions: Sequence[list[dict[str, str]]]) -> list[Result]:
        asked = [(self._template, question) for question in questions]
        return [reply.result for reply in ask(self._client, self._chat, asked)]


def _verdict(result: Result) -> Verdict:
    return Verdict(None, result) if isinstance(result, str) else Verdict(result)


def _averaged(straight: Result, swapped: Result) -> Result:
    """Chance that the first is better over both orders; one failed order fails both."""
    if isinstance(straight, str):
        return straight
    if isinstance(swapped, str):
        return swapped
    return (straight + 1.0 - swapped) / 2.0
