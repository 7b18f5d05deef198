"""Judges made from the plain settings that params.yaml gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from training.core import checkpoint
from training.core.chat_template import ChatTemplate
from training.engines.endpoint import Endpoint
from training.engines.settings import Engine
from training.judges import functions
from training.judges.contests import Format
from training.judges.llm import Chat, LlmJudge
from training.judges.preference import PreferenceJudge
from training.judges.program import FunctionJudge
from training.judges.protocol import Group, Judge, rate
from training.judges.reward_model import PLAINLY, Described, RewardModelJudge, Verdict
from training.judges.served import ROUTED, Asking, ServedRewardModel
from training.judges.view import Reading


@dataclass(frozen=True)
class Settings:
    """One entry of params.judges; what its kind does not take is left at its default."""

    name: str
    kind: str
    path: Path
    contest: Format = "round_robin"
    function: str = ""
    answers: Mapping[str, str] | None = None
    server: Endpoint | None = None
    chat: Chat | None = None
    reading: Reading = PLAINLY
    asking: Asking = ROUTED

    @property
    def served(self) -> bool:
        """Whether a server holds its model."""
        return self.kind in ("llm", "served_reward_model")


@dataclass(frozen=True)
class Facts:
    """What the scores table records of a judge."""

    sha: str
    template_sha: str
    dtype: str


def described(settings: Settings, engine: Engine) -> Facts:
    """A judge's facts without its weights: they are loaded where, and if, it has work to do.

    Raises:
        UserError: its model, file, function or endpoint is not as the settings say.
    """
    told: Described | Judge
    match settings.kind:
        case "reward_model":
            told = Described(settings.path, engine, settings.reading)
        case "preference_model":
            template = ChatTemplate(checkpoint.load_tokenizer(settings.path))
            return Facts(checkpoint.weights_sha(settings.path), template.sha, engine.dtype)
        case _:
            told = judge(settings, engine)
    return Facts(told.sha, told.template_sha, told.dtype)


class RewardModel:
    """A reward model under the name that the recipe gives it."""

    def __init__(self, name: str, path: Path, engine: Engine, reading: Reading) -> None:
        self._judge = RewardModelJudge(path, engine, reading)
        self.name, self.sha = name, self._judge.sha
        self.template_sha, self.dtype = self._judge.template.sha, self._judge.dtype

    def judge(self, groups: Sequence[Group]) -> list[list[Verdict]]:
        """One verdict per response of every group."""
        return rate(self._judge, groups)

    def close(self) -> None:
        """Give back the memory of its model; it can't judge any more."""
        self._judge.close()


def judge(settings: Settings, engine: Engine) -> Judge:
    """The judge that the settings describe, its model loaded.

    Raises:
        UserError: its model, file, function or endpoint is not as the settings say.
    """
    name, path = settings.name, settings.path
    match settings.kind:
        case "reward_model":
            return RewardModel(name, path, engine, settings.reading)
        case "preference_model":
            return PreferenceJudge(name, path, settings.contest, engine.batch_tokens, engine.dtype)
        case "llm":
            assert settings.server is not None
            assert settings.chat is not None
            return LlmJudge(name, path, settings.server, settings.chat, settings.contest)
        case "served_reward_model":
            assert settings.server is not None
            return ServedRewardModel(name, path, settings.server, settings.asking)
        case _:
            return FunctionJudge(name, _function(settings), settings.answers)


def _function(settings: Settings) -> functions.Function:
    key = f"judges.{settings.name}.function"
    if settings.answers is not None:
        return functions.dotted(settings.function, key)
    return functions.from_file(settings.path, settings.function, key)
