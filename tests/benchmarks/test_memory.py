"""The arithmetic of memory: parameters counted, activations followed, what fits."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from benchmarks import memory
from pipelines.core import params
from tests.conftest import ROOT

SHAPE: dict[str, Any] = {
    "kind": "llama", "vocab_size": 512, "hidden_size": 64, "intermediate_size": 96,
    "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2,
    "max_position_embeddings": 128, "tie_word_embeddings": False,
}  # fmt: skip


@pytest.mark.parametrize("tied", [False, True])
def test_parameters_are_those_of_the_model(tied: bool) -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    shape = {**SHAPE, "tie_word_embeddings": tied}
    given = {key: value for key, value in shape.items() if key != "kind"}
    assert memory.counted(shape).all == LlamaForCausalLM(LlamaConfig(**given)).num_parameters()
    assert memory.counted(shape).kv == 2 * 3 * 2 * 16 * 2


def test_kept_activations_are_those_that_autograd_keeps() -> None:
    """The growth from one layer to two, against hooks on the tensors of a real pass."""

    def kept(layers: int) -> int:
        model = memory.laid_out(SHAPE, layers, torch.bfloat16)
        own = {weight.untyped_storage().data_ptr() for weight in model.parameters()}
        found: dict[int, int] = {}

        def pack(tensor: torch.Tensor) -> torch.Tensor:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in own:
                found[storage.data_ptr()] = storage.nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            out = model.train()(input_ids=torch.zeros((2, 64), dtype=torch.long), use_cache=False)
        assert out.last_hidden_state.requires_grad
        return sum(found.values())

    ours = [memory.followed(SHAPE, layers, 2, 64, train=True) for layers in (1, 2)]
    assert ours[1] - ours[0] == pytest.approx(kept(2) - kept(1), rel=0.15)
    assert memory.followed(SHAPE, 1, 2, 64, train=False) < ours[0]


def test_every_stage_of_the_8b_recipe_fits_and_logits_would_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(memory, "followed", lambda *_, **__: 9.0 * memory.GIB)
    recipe = params.load(ROOT / "recipes/llama3-8b.yaml")
    model = memory.counted(memory.SHAPES["meta-llama/Meta-Llama-3-8B"])
    assert model.all == 8_030_261_248
    found = dict(memory.stages(recipe, model, memory.GPU))
    assert {"sft", "reward_model@mix2", "generate", "dpo", "dpo_offline"} <= found.keys()
    for lines in found.values():
        assert sum(line.gib for line in lines if not line.what.startswith("(")) < memory.GPU
    passed = found["reference, evaluate (KL)"]
    assert sum(line.gib for line in passed if not line.what.startswith("(")) < 60
    assert (
        sum(line.gib for line in passed) > memory.GPU - 10
    )  # with logits, and float32 weights more
