"""What vLLM never draws; tests/training/engines/test_engines.py draws with it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from training.core import checkpoint

pytest.importorskip("vllm", reason="vllm is not installed; see the README")


def test_ids_past_the_vocabulary_have_no_probability(base: Path, tmp_path: Path) -> None:
    from training.engines.vllm_barred import Barred

    tokenizer, model = checkpoint.load_tokenizer(base), checkpoint.load_policy(base)
    model.resize_token_embeddings(len(tokenizer) + 5)
    checkpoint.save(tmp_path / "padded", model, tokenizer, {})
    config: Any = SimpleNamespace(model_config=SimpleNamespace(model=str(tmp_path / "padded")))
    logits = torch.zeros(2, len(tokenizer) + 5)
    barred = Barred(config, torch.device("cpu"), False).apply(logits)
    assert torch.isinf(barred[:, len(tokenizer) :]).all()
    assert (barred[:, : len(tokenizer)] == 0).all()
