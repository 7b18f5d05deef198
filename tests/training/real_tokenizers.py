"""The real tokenizers of the matrix; a test is skipped where the package that ships one lacks."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.matrix import templates, tokenizers
from benchmarks.matrix.packages import NotInstalledError
from benchmarks.matrix.tokenizers import NAMES

__all__ = ["NAMES", "load", "trl_template"]


def load(name: str) -> Any:
    """A real tokenizer with its chat template, by one of NAMES."""
    try:
        return tokenizers.load(name)
    except NotInstalledError as missing:
        pytest.skip(str(missing))


def trl_template(name: str) -> str:
    """The text of a chat template that TRL ships."""
    return templates.of_trl(name)
