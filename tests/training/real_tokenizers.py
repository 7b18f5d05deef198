"""The real tokenizers of the matrix; a test is skipped where the package that ships one lacks."""

from __future__ import annotations

import os
from typing import Any

import pytest

from benchmarks.matrix import templates, tokenizers
from benchmarks.matrix.packages import NotInstalledError
from benchmarks.matrix.tokenizers import NAMES

__all__ = ["KINDS", "NAMES", "load", "trl_template"]

# For tests that load a saved tokenizer several times, 2 s of CPU each where it has over 100,000
# pieces: without three whose vocabulary and layout of turns another one has too.
TWINS = {"llama3": "llama3_2", "qwen": "qwen3", "deepseek_v3": "deepseek_r1"}
KINDS = tuple(
    name for name in NAMES if name not in TWINS or os.environ.get("PREFLOOP_TOKENIZERS") == "all"
)


def load(name: str) -> Any:
    """A real tokenizer with its chat template, by one of NAMES."""
    try:
        return tokenizers.load(name)
    except NotInstalledError as missing:
        pytest.skip(str(missing))


def trl_template(name: str) -> str:
    """The text of a chat template that TRL ships."""
    return templates.of_trl(name)
