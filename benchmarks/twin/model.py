"""A random Llama of four layers behind Llama-3's own tokenizer, as the Hub has a base model."""

from __future__ import annotations

from pathlib import Path

from benchmarks.matrix import tokenizers

LAYERS, HIDDEN, VOCABULARY = 4, 64, 128_256


def files(folder: Path) -> dict[str, bytes]:
    """The files of the model's repository.

    Raises:
        NotInstalledError: llama-models, which ships the tokenizer, is not installed.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = tokenizers.load("llama3")
    tokenizer.chat_template = None  # the base model publishes none
    tokenizer.eos_token = "<|end_of_text|>"
    bos, eos = (tokenizer.convert_tokens_to_ids(f"<|{name}_of_text|>") for name in ("begin", "end"))
    config = LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=HIDDEN, intermediate_size=2 * HIDDEN,
        num_hidden_layers=LAYERS, num_attention_heads=4, num_key_value_heads=2,
        max_position_embeddings=8192, rope_theta=500_000.0, rms_norm_eps=1e-5,
        bos_token_id=bos, eos_token_id=eos, tie_word_embeddings=False,
    )  # fmt: skip
    torch.manual_seed(8)
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
