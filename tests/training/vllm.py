"""What the tests of the real vLLM share."""

from __future__ import annotations

import importlib.util

import pytest

NEEDS_VLLM = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("vllm") is None,
        reason="vllm is not installed; requirements-test.lock pins it",
    ),
]
