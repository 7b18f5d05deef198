"""A folder is loaded whole and as it is, or refused in one line; real families raise no alarm."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM

from curation.core.errors import UserError
from training.core import checkpoint, loading

Weights = dict[str, Any]
SMALL = {
    "vocab_size": 96, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
    "num_attention_heads": 2, "num_key_value_heads": 1,
    "max_position_embeddings": 64, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
FAMILIES: list[tuple[str, dict[str, Any]]] = [
    ("llama", {"tie_word_embeddings": False}),
    ("llama", {"tie_word_embeddings": True}),
    ("qwen3", {"tie_word_embeddings": True, "head_dim": 16}),
    ("qwen3_moe", {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}),
    ("mixtral", {"num_local_experts": 4}),
    ("gemma2", {"head_dim": 16}),
    ("gemma3_text", {"head_dim": 16}),
    ("mistral", {}),
    ("phi3", {}),
    ("gpt2", {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 64}),
    ("gpt_neox", {"num_key_value_heads": 2}),
    ("opt", {"ffn_dim": 48, "word_embed_proj_dim": 32}),
    ("bloom", {"n_layer": 2, "n_head": 2}),
    ("falcon", {}),
]


def changed(source: Path, target: Path, change: Callable[[Weights], object]) -> Path:
    """A copy of a model whose tensors were changed."""
    shutil.copytree(source, target)
    weights = load_file(target / "model.safetensors")
    change(weights)
    save_file(weights, target / "model.safetensors", metadata={"format": "pt"})
    return target


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda w: w.update({"value_head.weight": w.pop("score.weight")}),
            r"score.weight is not in the checkpoint \(it has value_head.weight\)",
        ),
        (lambda w: w.update({"score.bias": torch.zeros(1)}), "score.bias is in the checkpoint"),
        (lambda w: w.update({"score.weight": w["score.weight"].repeat(2, 1)}), "has one row"),
        (lambda w: w.pop("model.layers.1.mlp.up_proj.weight"), "up_proj.weight is not in the"),
        (lambda w: w["model.norm.weight"].fill_(float("nan")), "model.norm.weight holds NaN"),
        (lambda w: w.clear(), "hold no tensor"),
    ],
)
def test_a_changed_reward_model_is_refused_by_loader_and_by_check(
    reward_model: Path, tmp_path: Path, change: Callable[[Weights], object], said: str
) -> None:
    path = changed(reward_model, tmp_path / "odd", change)
    with pytest.raises(UserError, match=said):
        checkpoint.load_classifier(path)
    with pytest.raises(UserError, match=said):  # before an engine of its own loads it
        loading.check(path, labelled=True)


def test_a_changed_policy_is_refused(base: Path, tmp_path: Path) -> None:
    path = changed(base, tmp_path / "more", lambda w: w.update({"v_head.bias": torch.zeros(1)}))
    with pytest.raises(UserError, match=r"v_head.bias is in the checkpoint"):
        checkpoint.load_policy(path)
    with pytest.raises(UserError, match=r"v_head.bias is in the checkpoint"):
        loading.check(path, labelled=False)
    less = changed(base, tmp_path / "less", lambda w: w.pop("model.norm.weight"))
    with pytest.raises(UserError, match=r"model.norm.weight is not in the checkpoint$"):
        checkpoint.load_policy(less)
    with pytest.raises(UserError, match=r"model.norm.weight is not in the checkpoint$"):
        checkpoint.load_classifier(less, num_labels=1)  # the head may be new, the rest may not


def test_the_language_model_s_head_in_a_reward_model_changes_nothing(
    reward_model: Path, tmp_path: Path
) -> None:
    def add(weights: Weights) -> None:
        weights["lm_head.weight"] = weights["model.embed_tokens.weight"].clone()

    path = changed(reward_model, tmp_path / "both", add)
    loading.check(path, labelled=True)
    own, same = checkpoint.load_classifier(path), checkpoint.load_classifier(reward_model)
    assert torch.equal(own.score.weight, same.score.weight)


def test_torn_pickled_and_coded_models_are_refused_in_one_line(
    reward_model: Path, tmp_path: Path
) -> None:
    torn = shutil.copytree(reward_model, tmp_path / "torn")
    whole = (torn / "model.safetensors").read_bytes()
    (torn / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="not a whole safetensors file"):
        checkpoint.load_classifier(torn)
    pickled = shutil.copytree(reward_model, tmp_path / "pickled")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    with pytest.raises(UserError, match=r"only pytorch_model.bin; save it as safetensors"):
        checkpoint.load_classifier(pickled)
    coded = shutil.copytree(reward_model, tmp_path / "coded")
    told = json.loads((coded / "config.json").read_text())
    told |= {"model_type": "own", "auto_map": {"AutoConfig": "code.Own"}}
    (coded / "config.json").write_text(json.dumps(told))
    (coded / "code.py").write_text("raise SystemExit('it was run')")
    with pytest.raises(UserError, match="coded: "):  # and no question is asked on the terminal
        checkpoint.load_classifier(coded)


@pytest.mark.parametrize(("kind", "options"), FAMILIES)
def test_families_load_without_an_alarm(
    kind: str, options: dict[str, Any], tokenizer: Any, tmp_path: Path
) -> None:
    """Tied and untied heads, buffers, experts that are stored apart: policy, new head, judge."""
    config = AutoConfig.for_model(kind, **{**SMALL, **options})
    torch.manual_seed(0)
    model: Any = AutoModelForCausalLM.from_config(config)
    model.save_pretrained(tmp_path / "policy")
    loaded = checkpoint.load_policy(tmp_path / "policy")
    for name, weight in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], weight), name
    loading.check(tmp_path / "policy", labelled=False)
    judge = checkpoint.load_classifier(tmp_path / "policy", num_labels=1)
    judge.save_pretrained(tmp_path / "judge")
    again = checkpoint.load_classifier(tmp_path / "judge")
    assert torch.equal(again.state_dict()["score.weight"], judge.state_dict()["score.weight"])
    loading.check(tmp_path / "judge", labelled=True)
