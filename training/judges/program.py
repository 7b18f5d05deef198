"""A Python function as a judge: verifiable rewards, and any rule that code can state."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from training.core.seeds import hash64
from training.judges.functions import Function, source_sha
from training.judges.protocol import Group
from training.judges.reward_model import Verdict
from training.judges.template import as_text


class FunctionJudge:
    """Rewards each response with function(prompt, response), or with (prompt, response, answer).

    Args:
        function: returns the reward; ValueError or KeyError says that it has none to give.
        answers: known answers by prompt text; a prompt without one gets no reward. None: the
            function takes no answer.
    """

    dtype = "float64"
    template_sha = "none"  # it reads plain text

    def __init__(
        self, name: str, function: Function, answers: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self._function = function
        self._answers = answers
        said = "" if answers is None else f"{hash64(sorted(answers.items())):016x}"
        self.sha = source_sha(function) + said

    def judge(self, groups: Sequence[Group]) -> list[list[Verdict]]:
        """One verdict per response of every group."""
        return [[self._one(group, text) for text in group.responses] for group in groups]

    def _one(self, group: Group, response: str) -> Verdict:
        prompt = as_text(group.prompt)
        try:
            reward = float(self._function(*self._arguments(prompt, response)))
        except (ValueError, KeyError, TypeError) as error:
            return Verdict(None, f"{type(error).__name__}: {error}")
        return Verdict(reward) if math.isfinite(reward) else Verdict(None, f"not finite: {reward}")

    def _arguments(self, prompt: str, response: str) -> tuple[str, ...]:
        if self._answers is None:
            return prompt, response
        if prompt not in self._answers:
            raise KeyError("no known answer for this prompt")
        return prompt, response, self._answers[prompt]
