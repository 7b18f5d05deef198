"""A byte-level BPE tokenizer trained on the corpus: no text is unknown to it."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from typing import Any

SPECIALS = ("<|pad|>", "<|bos|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>")


def template(name: str) -> str:
    """The text of a chat template that ships with the project."""
    file = files("training.core") / "templates" / f"{name}.jinja"
    return file.read_text("utf-8").rstrip("\n")


def train(texts: Iterable[str], vocab_size: int) -> Any:
    """Train a tokenizer whose padding token differs from its end token.

    With pad equal to the end token a reward model reads a score before the last token.

    Returns:
        A PreTrainedTokenizerFast with the project's own chat template.
    """
    import tokenizers
    from tokenizers import decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    backend = tokenizers.Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(SPECIALS),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    backend.train_from_iterator(texts, trainer)
    result = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token="<|pad|>",
        bos_token="<|bos|>",
        eos_token="<|end|>",
        additional_special_tokens=["<|system|>", "<|user|>", "<|assistant|>"],
        clean_up_tokenization_spaces=False,
    )
    result.chat_template = template("prefloop")
    return result
