"""Log-probs computed for some tokens at a time are those of whole logits, whatever the model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from training.core import checkpoint
from training.engines import lm_head, logprobs

SMALL: dict[str, Any] = {
    "vocab_size": 97,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 16,
    "max_position_embeddings": 64,
    "initializer_range": 0.3,
}
KINDS: dict[str, dict[str, Any]] = {
    "llama": {},
    "qwen2": {"tie_word_embeddings": True},
    "gemma2": {"final_logit_softcapping": 2.0},  # caps what the head says
    "cohere": {"logit_scale": 0.25},  # multiplies it
    "granite": {"logits_scaling": 4.0},  # divides it
    "mixtral": {"num_local_experts": 2, "num_experts_per_tok": 1},  # tells of routers as well
    "gpt_neox": {},  # another name for the body
}
ITEMS = [
    ([1, 5, 9], [3, 4, 60]),
    ([2], [7] * 9),
    ([8, 1, 33, 90, 12], [2]),
    ([96, 95], [94, 93, 92, 91]),
    ([4, 4, 4, 4], [11, 10]),
]
HEADS = [2, 5, 1, 0, 2]
HEATS = [0.7, 1.0, 1.3, 0.5, 1.0]


def made(kind: str) -> Any:
    """A random model of this architecture; its logits are far from uniform."""
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(7)
    config = AutoConfig.for_model(kind, **{**SMALL, **KINDS[kind]})
    return AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()


def sums(model: Any, *, bf16: bool = False) -> list[tuple[float, float]]:
    """All that the module computes, for every item."""
    part = logprobs.partial_logprobs(model, ITEMS, HEADS, 64, bf16=bf16)
    return part + logprobs.tempered_logprobs(model, ITEMS, HEATS, 64, bf16=bf16)


def flat(pairs: list[tuple[float, float]]) -> list[float]:
    return [value for pair in pairs for value in pair]


def by_hand(model: Any, prompt: list[int], completion: list[int], heat: float) -> float:
    """One row alone, without padding, from whole logits."""
    with torch.inference_mode():
        logits = model(torch.tensor([prompt + completion])).logits[0].double() / heat
    said = logits.log_softmax(-1)[len(prompt) - 1 : -1]
    return float(said.gather(-1, torch.tensor(completion)[:, None]).sum())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("at_once", [1, 5])
def test_some_tokens_at_a_time_give_the_same_sums(
    kind: str, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = made(kind)
    whole = flat(sums(model))
    asked = []
    split = lm_head.logits

    def seen(model: Any, body: Any, states: Any) -> Any:
        asked.append(len(states))
        return split(model, body, states)

    monkeypatch.setattr(logprobs, "LOGITS", at_once * SMALL["vocab_size"])
    monkeypatch.setattr(lm_head, "logits", seen)
    assert flat(sums(model)) == pytest.approx(whole, rel=1e-5, abs=1e-5)
    probe = len(lm_head._PROBE) - lm_head._FROM
    assert max(asked) == max(at_once, probe)
    assert sum(asked) == 2 * (probe + sum(len(completion) for _, completion in ITEMS))
    exact = [by_hand(model, *item, 1.0) for item in ITEMS]
    assert [total for total, _ in sums(model)[: len(ITEMS)]] == pytest.approx(exact, abs=1e-4)
    hot = [by_hand(model, *item, heat) for item, heat in zip(ITEMS, HEATS, strict=True)]
    assert [total for _, total in sums(model)[len(ITEMS) :]] == pytest.approx(hot, abs=1e-4)


def test_a_model_that_cannot_be_split_gets_smaller_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    model = made("llama")
    whole = flat(sums(model))
    widths = []
    model.model.register_forward_pre_hook(
        lambda _, args, kwargs: widths.append(kwargs["input_ids"].numel()), with_kwargs=True
    )
    monkeypatch.setattr(logprobs, "LOGITS", 12 * SMALL["vocab_size"])
    monkeypatch.setattr(lm_head, "splits", lambda _: False)
    assert flat(sums(model)) == pytest.approx(whole, rel=1e-5, abs=1e-5)
    assert max(widths) <= 12


def test_a_head_that_reads_more_than_hidden_states_is_not_split() -> None:
    model = made("llama")
    assert lm_head.splits(model)

    class Counts(torch.nn.Module):
        """A head whose answer depends on the place in the row."""

        weight = model.lm_head.weight

        def forward(self, states: Any) -> Any:
            places = torch.arange(states.shape[1], dtype=states.dtype)
            return torch.nn.functional.linear(states, self.weight) * places[:, None]

    model.lm_head = Counts()
    assert not lm_head.splits(model)


def test_a_batch_that_fits_is_computed_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """So builds that fit keep their bytes."""
    monkeypatch.setattr(lm_head, "splits", lambda _: pytest.fail("asked"))
    sums(made("llama"))


@pytest.mark.parametrize("kind", ["llama", "qwen2", "gpt_neox"])
def test_matrices_rounded_once_give_the_same_bits(kind: str, tmp_path: Path, base: Path) -> None:
    model = made(kind)
    checkpoint.save(tmp_path / "policy", model, checkpoint.load_tokenizer(base), {"kind": "policy"})
    once = logprobs.loaded(tmp_path / "policy", bf16=True)
    assert sums(once, bf16=True) == sums(model, bf16=True) != sums(model)
    kinds = {name: one.dtype for name, one in once.named_parameters()}
    half = [name for name, dtype in kinds.items() if dtype == torch.bfloat16]
    assert half
    assert not [name for name in half if "norm" in name or "embed" in name]
    plain = logprobs.loaded(tmp_path / "policy", bf16=False)
    assert {one.dtype for one in plain.parameters()} == {torch.float32}
