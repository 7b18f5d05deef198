"""A pairwise preference model as a judge: both orders averaged, in a contest per prompt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from training.core import checkpoint
from training.judges.comparing import MARKERS, PreferenceModel, question
from training.judges.contests import Format, Result, play
from training.judges.protocol import Group
from training.judges.reward_model import Verdict, spelled


class PreferenceJudge:
    """Compares the responses to each prompt with a preference model.

    A response that holds one of the question's markers, or that is too long to stand beside
    another in the model's context, takes no part: its reward is null with the reason.
    """

    def __init__(
        self, name: str, path: Path, contest: Format, batch_tokens: int, dtype: str
    ) -> None:
        self.name = name
        self.sha = checkpoint.weights_sha(path)
        self.dtype = dtype
        self._model = PreferenceModel(path, batch_tokens, dtype)
        self.template_sha = self._model.template.sha
        self._contest = contest

    def judge(self, groups: Sequence[Group]) -> list[list[Verdict]]:
        """One verdict per response of every group."""
        reasons = [self._unfit(group) for group in groups]
        fit = [[i for i, reason in enumerate(found) if reason is None] for found in reasons]

        def ask(matches: Sequence[tuple[int, int, int]]) -> list[Result]:
            asked = [
                (
                    groups[g].prompt,
                    groups[g].responses[fit[g][first]],
                    groups[g].responses[fit[g][second]],
                )
                for g, first, second in matches
            ]
            return [float(chance) for chance in self._model.prefers_first(asked)]

        played = play([len(places) for places in fit], self._contest, ask)
        result = []
        for found, places, verdicts in zip(reasons, fit, played, strict=True):
            by_place = dict(zip(places, verdicts, strict=True))
            result.append(
                [by_place.get(i, Verdict(None, reason)) for i, reason in enumerate(found)]
            )
        return result

    def _unfit(self, group: Group) -> list[str | None]:
        """Why each response cannot be compared; None where it can."""
        asked = [message["content"] for message in group.prompt]
        if any(marker in text for marker in MARKERS for text in asked):
            return ["the prompt holds a marker of the question"] * len(group.responses)
        if (reason := spelled(self._model.template, group.prompt)) is not None:
            return [reason] * len(group.responses)
        reasons: list[str | None] = [
            "it holds a marker of the question"
            if any(m in text for m in MARKERS)
            else spelled(self._model.template, [], text)
            for text in group.responses
        ]
        return self._too_long(group, reasons)

    def _too_long(self, group: Group, reasons: list[str | None]) -> list[str | None]:
        """Leave out the longest until the two longest fit into the context together."""
        left = [i for i, reason in enumerate(reasons) if reason is None]
        told = self._model.template.completions([group.responses[i] for i in left])
        sizes = {i: len(ids) for i, ids in zip(left, told, strict=True)}
        left.sort(key=lambda i: -sizes[i])
        while len(left) > 1:
            pair = question(group.prompt, *(group.responses[i] for i in left[:2]))
            tokens = len(self._model.template.encode(pair, add_generation_prompt=True))
            if tokens <= self._model.context:
                break
            reasons[left[0]] = (
                f"over context: {tokens} tokens beside the next, the judge reads "
                f"{self._model.context}"
            )
            left = left[1:]
        return reasons
