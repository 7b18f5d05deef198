"""Which tokenizer, template and architecture are tried together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from benchmarks.matrix import families, templates, tokenizers

ARCHITECTURES = (
    *("llama", "mistral", "qwen2", "qwen3", "gemma2", "gpt2", "gpt_neox", "mamba", "jamba"),
    *("falcon_h1", "qwen3_next", "bloom"),
)
LIKELY = {  # the architecture that a tokenizer's own models have
    "llama3": "llama", "llama3_2": "llama", "llama2": "llama", "vicuna": "llama",
    "mistral_v1": "mistral", "mistral_v1_zephyr": "mistral", "mistral_v3": "mistral",
    "mistral_v7": "mistral", "tekken": "mistral", "gemma": "gemma2", "gpt2": "gpt2",
    "qwen": "qwen2", "qwen3": "qwen3", "deepseek_v3": "llama", "deepseek_r1": "qwen2",
    "smollm2": "llama",
}  # fmt: skip
_PARTS = "does not print the text of a message"  # it prints content parts alone
_REFUSES = "refuses a conversation of plain texts"
REFUSED = {  # a template: what is said of it
    "idefics3": _PARTS, "idefics3_training": _PARTS, "smolvlm": _PARTS, "smolvlm_training": _PARTS,
    "llava_next": _REFUSES, "llava_next_training": _REFUSES,  # it takes content parts alone
    "glm4moe": "nothing follows the assistant's content",  # the next speaker ends a turn
}  # fmt: skip
SHORT = ("mistral_v1 mistral", "gemma gemma2", "trl qwen3", "gpt2 mamba", "trl smolvlm")


@dataclass(frozen=True)
class Combination:
    """One row of the matrix.

    Attributes:
        name: of the row, as --only takes it.
        tokenizer: where its vocabulary is from.
        template: which chat template it carries.
        architecture: of the random models behind it.
        load: makes the tokenizer.
        refused: what its refusal says, where it is refused as it should be.
    """

    name: str
    tokenizer: str
    template: str
    architecture: str
    load: Callable[[], Any]
    refused: str | None = None


def every() -> list[Combination]:
    """Real tokenizers as their models have them, each architecture, each template of TRL."""
    rows = [_real(name, LIKELY[name]) for name in tokenizers.NAMES]
    rows += [_real("gpt2", name) for name in ARCHITECTURES if name != "gpt2"]
    return rows + list(map(_of_trl, templates.names_of_trl(), cycle(ARCHITECTURES[:6])))


def _real(name: str, architecture: str) -> Combination:
    return Combination(
        f"{name} {architecture}", name, "its own", architecture, lambda: tokenizers.load(name)
    )


def _of_trl(name: str, architecture: str) -> Combination:
    return Combination(
        f"trl {name}", "its family's", name, architecture, lambda: families.load(name),
        REFUSED.get(name),
    )  # fmt: skip
