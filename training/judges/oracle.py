"""The oracle: a Python function (prompt text, response text) -> reward that training never sees."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from pathlib import Path

from training.core.chat_template import Messages
from training.judges.functions import from_file
from training.judges.reward_model import Verdict


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
        self._function = from_file(path, function, "evaluation.oracle.function")

    def judge(self, items: Sequence[tuple[Messages, str]]) -> list[Verdict]:
        """One verdict per (prompt messages, response); the prompt text is the last user message."""
        return [self._one(last_user(prompt), response) for prompt, response in items]

    def _one(self, prompt: str, response: str) -> Verdict:
        try:
            reward = float(self._function(prompt, response))
        except (ValueError, KeyError) as error:  # how a function says: not a prompt of mine
            return Verdict(None, f"oracle: {error}")
        return Verdict(reward) if math.isfinite(reward) else Verdict(None, f"oracle: {reward}")


def last_user(prompt: Messages) -> str:
    """The text of the last user message."""
    return next(message["content"] for message in reversed(prompt) if message["role"] == "user")
