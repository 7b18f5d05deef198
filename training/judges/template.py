"""A judge's question and how its answer is read: one YAML file, parsed strictly."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from curation.core.errors import UserError
from training.core.chat_template import Messages

_PLACES = {"rating": {"prompt", "response"}, "pairwise": {"prompt", "first", "second"}}
_REFERENCE = "reference"  # a rating may ask with a known answer beside the response
_PLACE = re.compile(r"\{(\w+)\}")


class Template(BaseModel):
    """What an LLM judge is asked, and the pattern its verdict must match exactly once.

    Attributes:
        user: the question; {prompt} and {response}, or {first} and {second}, are filled in; a
            rating may hold {reference}, a known answer.
        verdict: a regular expression with one group; none where weighted.
        lowest: the least rating that counts.
        highest: the greatest.
        labels: for pairwise, each label's chance that the first response is the better one.
        weighted: for pairwise, the reply is one token, a label; what counts is not the label drawn
            but the judge's probability of each, as in AlpacaEval 2.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["rating", "pairwise"]
    system: str | None = None
    user: str
    verdict: str | None = None
    lowest: float | None = None
    highest: float | None = None
    labels: dict[str, float] = {}
    weighted: bool = False

    @model_validator(mode="after")
    def _whole(self) -> Template:
        extra = {_REFERENCE} if self.kind == "rating" else set()
        if set(_PLACE.findall(self.user)) - extra != _PLACES[self.kind]:
            raise ValueError(f"user: must hold each of {sorted(_PLACES[self.kind])} in braces")
        if self.weighted and (self.kind != "pairwise" or self.verdict is not None):
            raise ValueError("weighted: only pairwise can be, and then it has no verdict")
        if not self.weighted and (self.verdict is None or re.compile(self.verdict).groups != 1):
            raise ValueError("verdict: must be a pattern with exactly one group")
        if self.kind == "rating" and (self.lowest is None or self.highest is None):
            raise ValueError("lowest and highest: a rating needs both")
        if self.kind == "pairwise" and not {0.0, 1.0} <= set(self.labels.values()):
            raise ValueError("labels: one must be 1.0 (the first is better) and one 0.0")
        return self

    def ask(self, **texts: str) -> list[dict[str, str]]:
        """The question as messages; texts are put in once, so braces inside them stay text."""
        user = _PLACE.sub(lambda place: texts[place[1]], self.user)
        system = [{"role": "system", "content": self.system}] if self.system else []
        return [*system, {"role": "user", "content": user}]

    @property
    def needs_reference(self) -> bool:
        """Whether it asks with a known answer."""
        return _REFERENCE in _PLACE.findall(self.user)

    def verdicts(self, reply: str | None) -> list[str]:
        """The different verdicts that a reply holds, as it writes them."""
        assert self.verdict is not None
        return sorted(set(re.findall(self.verdict, reply or "")))

    def read(self, reply: str | None) -> float | str:
        """The verdict of a reply, or why it has none; two different verdicts are none."""
        found = self.verdicts(reply)
        if len(found) != 1:
            told = f"{len(found)} different verdicts" if found else "no verdict"
            return f"{told} in the reply: {_short(reply or '')!r}"
        if self.kind == "pairwise":
            known = self.labels.get(found[0])
            return f"unknown label {found[0]!r}" if known is None else known
        return self._rating(found[0])

    def weigh(self, chances: Mapping[str, float]) -> float | str:
        """Chance that the first is the better one, from the likeliest first tokens of a reply.

        Args:
            chances: probability by token; those that are no label count nowhere.
        """
        known = [(label, chances[label]) for label in self.labels if chances.get(label)]
        if not known:
            return f"no label among the likeliest tokens: {', '.join(map(repr, chances))}"
        return sum(self.labels[label] * p for label, p in known) / sum(p for _, p in known)

    def _rating(self, text: str) -> float | str:
        assert self.lowest is not None
        assert self.highest is not None
        try:
            value = float(text)
        except ValueError:
            return f"not a number: {_short(text)!r}"
        if not self.lowest <= value <= self.highest:
            return f"rating {value:g} is not within {self.lowest:g} and {self.highest:g}"
        return value


def load(path: Path) -> tuple[Template, str]:
    """A template and the hash (24 hex digits) of its file.

    Raises:
        UserError: there is no such file, or it is not a judge's template.
    """
    try:
        content = path.read_bytes()
        raw: Any = yaml.safe_load(content)
        if not isinstance(raw, Mapping):
            raise UserError(f"{path}: not a judge's template; see recipes/judges/rating.yaml")
        template = Template.model_validate(raw)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; give a template's file") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise UserError(f"{path}: {key + ': ' if key else ''}{first['msg']}") from error
    except (yaml.YAMLError, UnicodeDecodeError, re.error) as error:
        raise UserError(f"{path}: {' '.join(str(error).split())}") from error
    return template, hashlib.sha256(content).hexdigest()[:24]


def as_text(prompt: Messages) -> str:
    """A prompt as plain text; the roles of a dialogue are named."""
    if len(prompt) == 1:
        return prompt[0]["content"]
    return "\n\n".join(f"{message['role']}: {message['content']}" for message in prompt)


def _short(text: str) -> str:
    return " ".join(text.split())[-80:]
