"""One architecture of each kind of cache; PREFLOOP_ARCHITECTURES=all tries every one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks import architectures
from curation.core.errors import UserError
from training.core import checkpoint, environment

environment.prepare()

KINDS = {
    "llama": "padded",
    "gemma2": "padded",  # windows
    "bloom": "same length",  # no position ids
    "mamba": "same length",  # a state alone
    "jamba": "same length",  # a state, or keys and values
    "falcon_h1": "same length",  # both in each layer
    "qwen3_next": "same length",
    "minimax": "recomputed",  # rows that can't be picked
    "rwkv": "recomputed",  # no cache of transformers' own
}
NAMES = list(architectures.SHAPES) if os.environ.get("PREFLOOP_ARCHITECTURES") else list(KINDS)
REFUSED = {"bert": "is not a causal model", "t5": "Unrecognized configuration class"}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return checkpoint.load_tokenizer(architectures.start(tmp_path_factory.mktemp("start")))


@pytest.fixture(scope="module")
def prompts(tokenizer: Any) -> Sequence[Sequence[int]]:
    return architectures.prompts(tokenizer)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in REFUSED])
def test_what_is_sampled_referenced_and_scored_is_a_plain_pass(
    name: str, tokenizer: Any, prompts: Sequence[Sequence[int]], tmp_path: Path
) -> None:
    path = architectures.make(name, tokenizer, tmp_path)
    kind, step = architectures.step_gap(path, prompts)
    assert kind == KINDS.get(name, kind)
    assert step < 1e-4
    assert architectures.logprob_gap(path, prompts) < 1e-4
    reward = architectures.reward_gap(name, path, prompts)
    assert reward is None or reward < 1e-4


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_is_no_causal_model_is_refused_in_one_line(
    name: str, tokenizer: Any, prompts: Sequence[Sequence[int]], tmp_path: Path
) -> None:
    with pytest.raises(UserError) as caught:
        architectures.step_gap(architectures.make(name, tokenizer, tmp_path), prompts)
    assert REFUSED[name] in str(caught.value)
    assert "\n" not in str(caught.value)
