"""An LLM as a judge, behind an OpenAI-compatible endpoint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.engines.endpoint import Client, Endpoint, Failure
from training.judge import Verdict
from training.judges.contests import Format, Result, play
from training.judges.protocol import Group
from training.judges.template import as_text, load
from training.seeds import hash64


@dataclass(frozen=True)
class Chat:
    """How the model is asked: what becomes part of the judge's hash."""

    temperature: float = 0.0
    max_tokens: int = 512
    seed: int = 0


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
        calls = [
            {
                "model": self._client.endpoint.model,
                "messages": question,
                "temperature": self._chat.temperature,
                "max_tokens": self._chat.max_tokens,
                "seed": hash64("judge", self._chat.seed, json.dumps(question)) >> 1,
            }
            for question in questions
        ]
        return [self._read(choice) for choice in self._client.chats(calls)]

    def _read(self, choice: Any | Failure) -> Result:
        if isinstance(choice, Failure):
            return choice.reason
        if choice.finish_reason == "length":
            return f"the reply was cut at {self._chat.max_tokens} tokens"
        return self._template.read(choice.message.content)


def _verdict(result: Result) -> Verdict:
    return Verdict(None, result) if isinstance(result, str) else Verdict(result)


def _averaged(straight: Result, swapped: Result) -> Result:
    """Chance that the first is better over both orders; one failed order fails both."""
    if isinstance(straight, str):
        return straight
    if isinstance(swapped, str):
        return swapped
    return (straight + 1.0 - swapped) / 2.0
