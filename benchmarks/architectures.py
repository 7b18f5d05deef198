"""Every kind of causal model: the sampler's cache, references and scores against a plain pass.

    python -m benchmarks.architectures [NAME ...]

Each model is a few hundred thousand random weights in the shape of its architecture. Prompts of
different lengths are drawn from together; rows leave the batch as they finish. `step` is the
largest difference between the logits that the sampler drew from and those of the whole row computed
alone, `log-prob` that of a response's stored log-probability, `reward` that of a classifier's score
(none where transformers has no classifier of it).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from curation.core.errors import UserError

Shape = dict[str, Any]
_TEXTS = [f"Give the sound of each: {a}, {b}." for a in ("dog", "cow") for b in ("cat", "hen")]
SIZE: Shape = {
    "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 16, "max_position_embeddings": 256,
}  # fmt: skip
NARROW = {key: value for key, value in SIZE.items() if key != "head_dim"}
OLD: Shape = {"n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 256}
EXPERTS: Shape = {
    "num_experts": 4, "num_local_experts": 4, "num_experts_per_tok": 2, "n_routed_experts": 4,
    "moe_intermediate_size": 32, "shared_expert_intermediate_size": 32,
}  # fmt: skip
STATE: Shape = {
    "mamba_d_state": 8, "mamba_d_conv": 4, "mamba_expand": 2, "mamba_dt_rank": 8,
    "mamba_n_heads": 8, "mamba_d_head": 16, "mamba_n_groups": 1, "mamba_d_ssm": 128,
    "mamba_chunk_size": 16,
}  # fmt: skip
SHAPES: dict[str, Shape] = {
    # attention over all tokens
    "llama": SIZE, "qwen2": SIZE, "qwen3": SIZE, "olmo2": SIZE, "cohere": SIZE, "granite": SIZE,
    "stablelm": SIZE, "phi3": SIZE | {"pad_token_id": 0}, "smollm3": SIZE | {"pad_token_id": 0},
    "gpt_neox": SIZE, "gpt2": OLD, "gptj": OLD | {"rotary_dim": 8}, "opt": SIZE | {
        "ffn_dim": 96, "word_embed_proj_dim": 64},
    # in windows, with soft caps, with sinks
    "mistral": SIZE | {"sliding_window": 8}, "starcoder2": SIZE | {"sliding_window": 8},
    "gemma2": SIZE | {"sliding_window": 8}, "gemma3_text": SIZE | {"sliding_window": 8},
    "gpt_oss": SIZE | EXPERTS | {"sliding_window": 8},
    # places by distance alone
    "bloom": {"hidden_size": 64, "n_layer": 2, "n_head": 4},
    "mpt": {"d_model": 64, "n_layers": 2, "n_heads": 4, "max_seq_len": 256},
    "falcon": NARROW | {"alibi": True, "new_decoder_architecture": False, "multi_query": False},
    # experts, latent attention
    "mixtral": SIZE | EXPERTS, "qwen3_moe": SIZE | EXPERTS,
    "deepseek_v3": NARROW | EXPERTS | {
        "num_key_value_heads": 4, "q_lora_rank": 16, "kv_lora_rank": 16, "qk_rope_head_dim": 8,
        "qk_nope_head_dim": 16, "v_head_dim": 16, "n_group": 1, "topk_group": 1,
        "first_k_dense_replace": 1, "n_shared_experts": 1},
    # a state in place of keys and values
    "mamba": {"hidden_size": 64, "num_hidden_layers": 2, "state_size": 8, "time_step_rank": 8},
    "mamba2": {"hidden_size": 64, "num_hidden_layers": 2, "state_size": 8, "num_heads": 8,
               "head_dim": 16, "n_groups": 1, "chunk_size": 16},
    "falcon_mamba": {"hidden_size": 64, "num_hidden_layers": 2, "state_size": 8},
    "rwkv": {"hidden_size": 64, "num_hidden_layers": 2, "attention_hidden_size": 64,
             "context_length": 256},
    "xlstm": {"hidden_size": 64, "num_blocks": 2, "num_heads": 4, "chunk_size": 16,
              "mode": "inference"},
    # both
    "jamba": SIZE | EXPERTS | STATE | {
        "num_hidden_layers": 4, "attn_layer_period": 2, "attn_layer_offset": 1,
        "expert_layer_period": 2, "expert_layer_offset": 1, "use_mamba_kernels": False},
    "falcon_h1": SIZE | STATE,
    "bamba": SIZE | STATE | {"attn_layer_indices": [1]},
    "zamba2": SIZE | STATE | {"num_key_value_heads": 4, "n_mamba_heads": 8, "use_mem_rope": False,
              "num_hidden_layers": 4, "layers_block_type": ["mamba", "hybrid", "mamba", "hybrid"],
              "chunk_size": 16, "attention_head_dim": 32},
    "qwen3_next": SIZE | EXPERTS | {
        "layer_types": ["linear_attention", "full_attention"], "linear_num_key_heads": 2,
        "linear_num_value_heads": 4, "linear_key_head_dim": 16, "linear_value_head_dim": 16},
    "lfm2": SIZE | {"layer_types": ["conv", "full_attention"], "block_auto_adjust_ff_dim": False},
    "granitemoehybrid": SIZE | EXPERTS | STATE | {"layer_types": ["mamba", "attention"]},
    "recurrent_gemma": SIZE | {
        "num_hidden_layers": 3, "lru_width": 64, "attention_window_size": 16},
    "minimax": SIZE | EXPERTS | {"layer_types": ["linear_attention", "full_attention"]},
    # not causal models
    "bert": SIZE, "t5": {"d_model": 64, "d_ff": 96, "num_layers": 2, "num_heads": 4, "d_kv": 16},
}  # fmt: skip
"""A few layers of each architecture; keys that an architecture does not have do no harm."""


def start(path: Path) -> Path:
    """A tiny policy, for its tokenizer."""
    from training.core.settings import Architecture
    from training.trainers import base

    base.from_scratch(path, _TEXTS * 4, 320, Architecture(64, 96, 1, 2, 1), seed=1)
    return path


def prompts(tokenizer: Any) -> list[list[int]]:
    """Prompts of different lengths."""
    return [tokenizer.encode(text * (1 + k % 2))[: 9 + 4 * k] for k, text in enumerate(_TEXTS)]


def make(name: str, tokenizer: Any, folder: Path) -> Path:
    """Write a random model of an architecture with its tokenizer; returns its folder.

    Raises:
        UserError: transformers makes no causal model of it.
    """
    path = folder / name
    random_model(name, tokenizer).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


def random_model(name: str, tokenizer: Any, **changed: Any) -> Any:
    """A random model of an architecture, in evaluation mode.

    Args:
        changed: values of its configuration; it has a row for each token by default.

    Raises:
        UserError: transformers makes no causal model of it.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    special = {
        "vocab_size": len(tokenizer), "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id,
    }  # fmt: skip
    config = AutoConfig.for_model(name, **(special | SHAPES[name] | changed))
    torch.manual_seed(1)
    try:
        model = AutoModelForCausalLM.from_config(config)
    except ValueError as error:
        raise UserError(f"{name}: {str(error).splitlines()[0][:90]}") from error
    _wake(model)
    return model.eval()


def _wake(model: Any) -> None:
    """Weights large enough that a wrong cache or mask changes what is predicted."""
    import torch

    for key, weight in model.named_parameters():
        if weight.ndim > 1 and weight.std() < 0.2 and "A_log" not in key:
            torch.nn.init.normal_(weight, std=0.15)


def step_gap(path: Path, prompts: Sequence[Sequence[int]], steps: int = 12) -> tuple[str, float]:
    """How the sampler reads the model, and its logits' largest difference from a plain pass."""
    import torch

    from training.engines.transformers_sampler import TransformersSampler

    sampler = TransformersSampler(path, "float32", 4096)
    reading, model = sampler._reading, sampler.model
    groups = [list(prompts)] if reading.pads else [[prompt] for prompt in prompts]
    worst = 0.0
    generator = torch.Generator().manual_seed(3)
    with torch.inference_mode():
        for group in groups:
            rows = [list(prompt) for prompt in group for _ in range(3)]
            memory = reading.start(group, [3] * len(group))
            for step in range(steps):
                for row, logits in zip(rows, memory.logits, strict=True):
                    alone = model(torch.tensor([row]), use_cache=False).logits[0, -1]
                    worst = max(worst, float((alone - logits).abs().max()))
                if step == steps // 2:  # some rows are done
                    kept = torch.arange(0, len(rows), 2)
                    memory.keep(kept)
                    rows = rows[::2]
                chosen = torch.randint(4, reading.model.config.vocab_size, (len(rows),),
                                       generator=generator)  # fmt: skip
                for row, token in zip(rows, chosen.tolist(), strict=True):
                    row.append(token)
                memory.step(chosen)
    kind = "recomputed" if reading.cache is None else "padded" if reading.pads else "same length"
    return kind, worst


def logprob_gap(path: Path, prompts: Sequence[Sequence[int]]) -> float:
    """The largest difference of a response's log-probability from a plain pass over it alone."""
    import torch

    from training.core import checkpoint
    from training.engines.logprobs import completion_logprobs

    model = checkpoint.load_policy(path)
    items = [(prompt, other[: 3 + k]) for k, (prompt, other) in enumerate(zip(
        prompts, prompts[::-1], strict=True))]  # fmt: skip
    found = completion_logprobs(model, items, 4096)
    worst = 0.0
    with torch.inference_mode():
        for (prompt, answer), value in zip(items, found, strict=True):
            ids = [*prompt, *answer]
            logps = torch.log_softmax(model(torch.tensor([ids]), use_cache=False).logits[0], -1)
            alone = sum(float(logps[k - 1, ids[k]]) for k in range(len(prompt), len(ids)))
            worst = max(worst, abs(alone - value))
    return worst


def reward_gap(name: str, path: Path, prompts: Sequence[Sequence[int]]) -> float | None:
    """The largest difference of a score from a plain pass; None where there is no classifier."""
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

    from training.engines.transformers_scorer import TransformersScorer

    config = AutoConfig.from_pretrained(path)
    if type(config) not in AutoModelForSequenceClassification._model_mapping:
        return None
    config.num_labels = 1
    torch.manual_seed(2)
    made = AutoModelForSequenceClassification.from_config(config)
    _wake(made)
    judge = path.with_name(f"{name}_judge")
    made.eval().save_pretrained(judge)
    AutoTokenizer.from_pretrained(path).save_pretrained(judge)
    items = [[*prompt, *answer] for prompt in prompts for answer in prompts[1:]]
    lengths = [len(prompt) for prompt in prompts for _ in prompts[1:]]
    scores = TransformersScorer(judge, "float32", 4096).score(items, lengths)
    with torch.inference_mode():
        alone = [float(made(torch.tensor([ids]), use_cache=False).logits[0, 0]) for ids in items]
    return max(abs(a - b) for a, b in zip(alone, scores, strict=True))


def line(name: str, tokenizer: Any, folder: Path, prompts: Sequence[Sequence[int]]) -> str:
    """One line of the table."""
    try:
        path = make(name, tokenizer, folder)
        kind, step = step_gap(path, prompts)
        reward = reward_gap(name, path, prompts)
    except UserError as error:
        return f"| {name} | refused: {str(error).split(': ', 1)[1]} | | | |"
    told = "none" if reward is None else f"{reward:.1e}"
    return f"| {name} | {kind} | {step:.1e} | {logprob_gap(path, prompts):.1e} | {told} |"


def main(argv: Sequence[str]) -> int:
    """Print the table."""
    from training.core import checkpoint, environment

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(SHAPES))
    names = parser.parse_args(argv).names
    environment.prepare()
    with tempfile.TemporaryDirectory() as folder:
        tokenizer = checkpoint.load_tokenizer(start(Path(folder) / "start"))
        asked = prompts(tokenizer)
        print("| architecture | prompts run | step | log-prob | reward |\n|---|---|---|---|---|")
        for name in names:
            print(line(name, tokenizer, Path(folder), asked), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
