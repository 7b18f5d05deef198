"""A model cut to its first layers is, saved and loaded, what those layers were in the whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForSequenceClassification

from curation.core.errors import UserError
from training.core import depth

SMALL = {
    "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 4, "num_attention_heads": 2,
    "num_key_value_heads": 1, "head_dim": 16, "vocab_size": 64, "max_position_embeddings": 64,
    "num_labels": 1, "pad_token_id": 0, "initializer_range": 0.2,
}  # fmt: skip
KINDS: dict[str, dict[str, Any]] = {
    "llama": {},
    "qwen3": {},
    "gemma3_text": {
        "sliding_window": 4,
        "layer_types": ["sliding_attention", "full_attention"] * 2,
    },
    "gpt2": {},
    "gpt_neox": {},
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_layers_stay_what_they_were(kind: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    shape = AutoConfig.for_model(kind, **SMALL | KINDS[kind], eos_token_id=[1, 2, 3, 4])
    model: Any = AutoModelForSequenceClassification.from_config(shape).eval()
    ids = torch.tensor([[5, 6, 7, 8, 9, 10, 11]])
    seen: list[Any] = []
    stack = depth.layers_of(model, 4, "layer")
    stack[1].register_forward_hook(lambda *given: seen.append(given[2]))
    with torch.inference_mode():
        model(ids)
    depth.cut(model, 2, "layer")
    model.save_pretrained(tmp_path)
    again, report = AutoModelForSequenceClassification.from_pretrained(
        tmp_path, output_loading_info=True
    )
    assert not any(report.values())
    assert again.config.num_hidden_layers == 2
    assert again.config.eos_token_id == [1, 2, 3, 4]  # as many as layers, by chance
    norm = [part for part in again.base_model.children() if "Norm" in type(part).__name__][-1]
    middle = seen[0] if torch.is_tensor(seen[0]) else seen[0][0]
    with torch.inference_mode():
        want = again.score(norm(middle))[:, -1]
        assert again.eval()(ids).logits[:, 0] == pytest.approx(want[:, 0], abs=1e-5)


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_what_trains_of_the_top(kind: str) -> None:
    model: Any = AutoModelForSequenceClassification.from_config(AutoConfig.for_model(kind, **SMALL))
    depth.top(model, 1, "top_k")
    learns = {name for name, value in model.named_parameters() if value.requires_grad}
    top = ("model.layers.3.", "model.norm.", "score.")
    if kind == "gpt2":
        top = ("transformer.h.3.", "transformer.ln_f.", "score.")
    assert all(name.startswith(top) for name in learns)
    assert {part for part in top if any(name.startswith(part) for name in learns)} == set(top)


def test_more_layers_than_it_has() -> None:
    model = AutoModelForSequenceClassification.from_config(AutoConfig.for_model("llama", **SMALL))
    with pytest.raises(UserError, match="layer: 5, but the model has 4 layers"):
        depth.cut(model, 5, "layer")
    depth.cut(model, 4, "layer")
    assert model.config.num_hidden_layers == 4
