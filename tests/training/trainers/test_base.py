"""A model that others published becomes the base of a build: one end of turn, its own padding."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.training import real_tokenizers
from training.core import checkpoint, contract
from training.core.chat_template import ChatTemplate
from training.core.origin import Origin
from training.trainers import base, tokenizer

END, TEXT_END, PAD = "<|eot_id|>", "<|end_of_text|>", "<|finetune_right_pad_id|>"


def published(folder: Path, tokens: Any, **ends: Any) -> Path:
    """A tiny random Llama with a tokenizer, as a hub has it."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokens), hidden_size=16, intermediate_size=16, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=2, tie_word_embeddings=True, **ends,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    tokens.save_pretrained(folder)
    return folder


def taken(folder: Path, out: Path, template: str | None = None) -> Any:
    base.from_source(out, Origin(str(folder), str(folder)), base.Chat(template), False)
    assert contract.broken(contract.check(out)) == []
    return checkpoint.load_tokenizer(out)


def told(out: Path) -> Any:
    return json.loads((out / "generation_config.json").read_text())["eos_token_id"]


def test_a_pad_that_ends_turns_is_replaced(tmp_path: Path) -> None:
    """SmolLM2 publishes <|im_end|> as both."""
    tokens = real_tokenizers.load("smollm2")
    end = tokens.eos_token_id
    folder = published(tmp_path / "hub", tokens, eos_token_id=end, pad_token_id=end)
    found = taken(folder, tmp_path / "base")
    assert found.eos_token == "<|im_end|>"
    assert found.pad_token_id != end
    assert told(tmp_path / "base") == end
    config = json.loads((tmp_path / "base" / "config.json").read_text())
    assert config["pad_token_id"] == found.pad_token_id


def test_a_base_model_with_a_template_stops_at_its_turns(tmp_path: Path) -> None:
    """Llama-3 base names <|end_of_text|> alone; its chat template ends turns with <|eot_id|>."""
    import copy

    tokens = copy.deepcopy(real_tokenizers.load("llama3"))
    tokens.chat_template, tokens.eos_token, tokens.pad_token = None, TEXT_END, None
    ids = dict(zip((END, TEXT_END), tokens.convert_tokens_to_ids([END, TEXT_END]), strict=True))
    folder = published(tmp_path / "hub", tokens, eos_token_id=ids[TEXT_END])
    found = taken(folder, tmp_path / "base", "llama3")
    assert (found.eos_token, found.pad_token) == (END, PAD)
    assert told(tmp_path / "base") == sorted(ids.values())
    assert ChatTemplate(found).end_id == ids[END]


def test_a_template_of_another_tokenizer_is_refused_before_anything_is_written(
    tmp_path: Path,
) -> None:
    from curation.core.errors import UserError

    folder = published(tmp_path / "hub", tokenizer.train(["A wren and a finch."], 300))
    with pytest.raises(UserError, match="no special token"):
        base.from_source(
            tmp_path / "base", Origin(str(folder), str(folder)), base.Chat("llama3"), False
        )
    assert not (tmp_path / "base").exists()
