"""The stored log-prob of a sampled response is that of the very ids the policy sampled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.training import real_tokenizers
from training.core import checkpoint
from training.core.chat_template import ChatTemplate
from training.core.sampled import Sampled, token_ids
from training.engines import choose
from training.engines.protocol import Draw, Request
from training.engines.settings import Engine
from training.trainers import examples, reference_logprobs
from training.trainers.examples import Comparison

PROMPTS = [[{"role": "user", "content": text}] for text in ("Say cat", "  Name a dog ", "日本?")]


def policy(path: Path, tokenizer: Any) -> Path:
    """A tiny random Llama with a real tokenizer."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=256,
        pad_token_id=tokenizer.pad_token_id, eos_token_id=tokenizer.eos_token_id,
        bos_token_id=tokenizer.bos_token_id, initializer_range=0.2, tie_word_embeddings=True,
    )  # fmt: skip
    torch.manual_seed(0)
    checkpoint.save(path, LlamaForCausalLM(config), tokenizer, {"kind": "policy"})
    return path


def plain(model: Any, prompt: list[int], ids: list[int]) -> float:
    """Log-prob of a response by one forward pass."""
    import torch

    with torch.inference_mode():
        logits = model(torch.tensor([prompt + ids])).logits[0].float().log_softmax(-1)
    return sum(float(logits[len(prompt) - 1 + place, token]) for place, token in enumerate(ids))


@pytest.mark.parametrize("name", real_tokenizers.KINDS)
def test_the_reference_is_of_what_was_sampled(tmp_path: Path, name: str) -> None:
    path = policy(tmp_path / "policy", real_tokenizers.load(name))
    template = ChatTemplate(checkpoint.load_tokenizer(path))
    sampler = choose.sampler(Engine(), path)
    prompts = template.encode_many(PROMPTS, True)
    draws = tuple(Draw(seed, 1.0) for seed in range(4))
    drawn = sampler.sample([Request(prompt, draws) for prompt in prompts], 8)
    items, wanted = [], []
    model = checkpoint.load_policy(path)
    for messages, prompt, responses in zip(PROMPTS, prompts, drawn, strict=True):
        sides = [(template.decode(one.token_ids), told(template, one)) for one in responses]
        for (chosen, one), (rejected, other) in (sides[:2], sides[2:]):
            items.append(Comparison("k", messages, chosen, rejected, 1.0, one, other))
            wanted.append([plain(model, prompt, list(s.token_ids or ())) for s in (one, other)])
    stored = reference_logprobs.of_pairs(model, template, items, 4096)
    for one, both in zip(stored, wanted, strict=True):
        assert [one.chosen, one.rejected] == pytest.approx(both, abs=1e-4)
    rows = examples.pairs(template, items, 256).rows
    assert [row["chosen_ids"] for row in rows] == [item.chosen_sampled.token_ids for item in items]
    assert all(row["prompt_ids"] in prompts for row in rows)


def told(template: ChatTemplate, response: Any) -> Sampled:
    cut = response.finish_reason == "length"
    assert (response.token_ids[-1] == template.end_id) or cut
    return Sampled(response.token_ids, template.sha, cut)


def test_another_tokenizers_ids_are_not_taken(template: ChatTemplate) -> None:
    other = Sampled([1, 2, 3], "another", cut=False)
    asked = PROMPTS[:1]
    assert token_ids(template, asked, ["woof"], [other]) == template.completions(["woof"])
    cut = Sampled([1, 2, 3], "another", cut=True)
    assert token_ids(template, asked, ["woof"], [cut]) == [template.completions(["woof"])[0][:-1]]
