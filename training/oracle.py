"""The oracle: a Python function (prompt text, response text) -> reward that training never sees."""

from __future__ import annotations

import hashlib
import importlib.util
import math
from collections.abc import Callable, Sequence
from pathlib import Path

from training.chat_template import Messages
from training.errors import UserError
from training.judge import Verdict


class Oracle:
    """Loads a function from a file and judges with it.

    Raises:
        UserError: the file can't be run or has no such function.
    """

    name = "oracle"
    dtype = "float64"
    template_sha = "none"  # it reads plain text

    def __init__(self, path: Path, function: str) -> None:
        self.sha = hashlib.sha256(path.read_bytes()).hexdigest()[:24]
        self._function = _load(path, function)

    def judge(self, items: Sequence[tuple[Messages, str]]) -> list[Verdict]:
        """One verdict per (prompt messages, response); the prompt text is the last user message."""
        return [self._one(_last_user(prompt), response) for prompt, response in items]

    def _one(self, prompt: str, response: str) -> Verdict:
        try:
            reward = float(self._function(prompt, response))
        except (ValueError, KeyError) as error:  # how a function says: not a prompt of mine
            return Verdict(None, f"oracle: {error}")
        return Verdict(reward) if math.isfinite(reward) else Verdict(None, f"oracle: {reward}")


def _load(path: Path, function: str) -> Callable[[str, str], float]:
    spec = importlib.util.spec_from_file_location("prefloop_oracle", path)
    if spec is None or spec.loader is None:
        raise UserError(f"{path}: not a Python file; give evaluation.oracle.file one")
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules[spec.name] = module  # dataclasses look their module up by name
    spec.loader.exec_module(module)
    found: Callable[[str, str], float] | None = vars(module).get(function)
    if not callable(found):
        raise UserError(f"{path}: has no function named {function} (evaluation.oracle.function)")
    return found


def _last_user(prompt: Messages) -> str:
    return next(message["content"] for message in reversed(prompt) if message["role"] == "user")
