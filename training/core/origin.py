"""Where a model that others made has come from, and where its files are now."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Origin:
    """A model's files.

    Attributes:
        uri: as the recipe says it.
        place: a folder, or OWNER/NAME that transformers fetches itself.
        revision: commit, tag or branch of OWNER/NAME.
        gguf: name of the GGUF file in the folder; None where the folder holds safetensors.
        facts: what a card tells of it besides, such as the hash of its wheel.
    """

    uri: str
    place: str
    revision: str | None = None
    gguf: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """The GGUF file."""
        assert self.gguf is not None
        return Path(self.place) / self.gguf
