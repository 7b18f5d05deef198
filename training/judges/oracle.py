"""The oracle: a Python function (prompt text, response text) -> reward that training never sees."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training.core.chat_template import Messages
from training.judges.functions import from_file
from training.judges.reward_model import Verdict

ENTRY = "oracle.py"  # of a folder
_PARTS = ("kind", "parts", "reward")


@dataclass(frozen=True)
class Truth(Verdict):
    """A verdict with its parts (part: its value) and the kind of what the prompt asks."""

    kind: str = ""
    parts: Mapping[str, float] = field(default_factory=dict)


class Oracle:
    """Loads a function from a file, or from oracle.py of a folder, and judges with it.

    The function returns the reward, or {reward, kind, parts}: parts are named numbers or bools.

    Raises:
        UserError: the file can't be run or has no such function.
    """

    name = "oracle"
    dtype = "float64"
    template_sha = "none"  # it reads plain text

    def __init__(self, path: Path, function: str) -> None:
        self.sha = _sha(path)
        file = path / ENTRY if path.is_dir() else path
        self._function = from_file(file, function, "evaluation.oracle.function")

    def judge(self, items: Sequence[tuple[Messages, str]]) -> list[Truth]:
        """One verdict per (prompt messages, response); the prompt text is the last user message."""
        return [self._one(last_user(prompt), response) for prompt, response in items]

    def _one(self, prompt: str, response: str) -> Truth:
        try:
            found = _truth(self._function(prompt, response))
        except (ValueError, KeyError) as error:  # how a function says: not a prompt of mine
            return Truth(None, f"oracle: {error}")
        finite = all(map(math.isfinite, (found.reward or 0.0, *found.parts.values())))
        return found if finite else Truth(None, f"oracle: {found.reward}")


def _truth(said: Any) -> Truth:
    """What a function returned; a ValueError for a mapping of another form."""
    if not isinstance(said, Mapping):
        return Truth(float(said))
    if sorted(said) != list(_PARTS):
        raise ValueError(f"returned the keys {sorted(said)}, not {list(_PARTS)}")
    parts = {str(part): float(value) for part, value in said["parts"].items()}
    return Truth(float(said["reward"]), kind=str(said["kind"]), parts=parts)


def _sha(path: Path) -> str:
    """Hash (24 hex digits) of the file, or of all files of the folder with their names."""
    if not path.is_dir():
        return hashlib.sha256(path.read_bytes()).hexdigest()[:24]
    known = hashlib.sha256()
    for file in sorted(path.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            known.update(f"{file.relative_to(path)}\0".encode())
            known.update(hashlib.sha256(file.read_bytes()).digest())
    return known.hexdigest()[:24]


def last_user(prompt: Messages) -> str:
    """The text of the last user message."""
    return next(message["content"] for message in reversed(prompt) if message["role"] == "user")
