"""Each template that TRL ships on a tokenizer with its family's control tokens.

The tokenizers that are published with a package stand in `tokenizers`. Of the other families the
layout is made anew, over GPT-2's vocabulary or, where they are of SentencePiece's kind, Mistral's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from benchmarks.matrix import pieces, templates, tokenizers
from benchmarks.matrix.tokenizers import CHATML_CONTROL, CHATML_NAMES, THINK

_CALLS = ("<|tool_call_start|>", "<|tool_call_end|>", "<|tool_list_start|>", "<|tool_list_end|>")
_VISION = ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
_DEEPSEEK = tuple(f"<\uff5c{name}\uff5c>" for name in (
    "begin\u2581of\u2581sentence", "end\u2581of\u2581sentence", "\u2581pad\u2581"))  # fmt: skip
_SPEAKERS = ("<\uff5cUser\uff5c>", "<\uff5cAssistant\uff5c>")
_GEMMA4 = ("<|turn>", "<turn|>", "<|channel>", "<channel|>", "<|think|>", "<|tool>", "<tool|>")


@dataclass(frozen=True)
class Family:
    """The control tokens of a family of models.

    Attributes:
        control: special tokens.
        added: added tokens that are not special.
        names: bos_token, eos_token and pad_token.
        make: what makes the tokenizer of a template's text; GPT-2's vocabulary by default.
    """

    control: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    names: dict[str, str] = field(default_factory=dict)
    make: Callable[[str], Any] | None = None

    def tokenizer(self, template: str) -> Any:
        """The family's tokenizer with a template."""
        if self.make is not None:
            return self.make(template)
        return tokenizers.gpt2(template, self.control, self.added, **self.names)


def _names(bos: str | None, eos: str, pad: str) -> dict[str, str]:
    return {"eos_token": eos, "pad_token": pad} | ({"bos_token": bos} if bos else {})


def _llama2(template: str, control: tuple[str, ...] = ()) -> Any:
    made = pieces.mistral("tokenizer.model.v1", template, legacy=False)
    made.add_special_tokens({"additional_special_tokens": list(control)})
    return made


_PHI3 = ("<|system|>", "<|user|>", "<|assistant|>", "<|end|>", "<|endoftext|>")
_CHATML = Family((*CHATML_CONTROL, *_VISION), THINK, CHATML_NAMES)
_LFM2 = ("<|startoftext|>", *CHATML_CONTROL, *_CALLS)
_TURN = ("<|START_OF_TURN_TOKEN|>", "<|END_OF_TURN_TOKEN|>")
_COHERE = (
    *("<BOS_TOKEN>", "<PAD>", *_TURN, "<|SYSTEM_TOKEN|>", "<|USER_TOKEN|>", "<|CHATBOT_TOKEN|>"),
    *("<|START_RESPONSE|>", "<|END_RESPONSE|>"),
)
_GLM = ("[gMASK]", "<sop>", "<|endoftext|>", "<|system|>", "<|user|>", "<|assistant|>")
_GPTOSS = (
    *("<|startoftext|>", "<|endoftext|>", "<|start|>", "<|end|>", "<|message|>", "<|channel|>"),
    *("<|constrain|>", "<|return|>", "<|call|>"),
)
_MUSE = ("<|begin_of_text|>", "<|pad|>", "<|start|>", "<|message|>", "<|eot|>", "<|eom|>")
FAMILIES = {  # by what a template's name begins with; the longest counts
    "cohere": Family(_COHERE, (), _names("<BOS_TOKEN>", _TURN[1], "<PAD>")),
    "deepseek": Family(_DEEPSEEK, (*_SPEAKERS, *THINK), _names(*_DEEPSEEK)),
    "gemma": Family(make=pieces.gemma),
    "gemma4": Family(make=lambda text: pieces.gemma(text, _GEMMA4)),
    "diffusion_gemma": Family(make=lambda text: pieces.gemma(text, _GEMMA4)),
    "glm4moe": Family(
        (*_GLM, "<|observation|>"), THINK, _names(None, "<|user|>", "<|endoftext|>")
    ),
    "gptoss": Family(_GPTOSS, (), _names("<|startoftext|>", "<|return|>", "<|endoftext|>")),
    "idefics3": Family(
        ("<|begin_of_text|>", "<end_of_utterance>", "<image>", "<pad>"), (),
        _names("<|begin_of_text|>", "<end_of_utterance>", "<pad>"),
    ),
    "lfm2": Family(_LFM2, THINK[2:], _names(_LFM2[0], "<|im_end|>", "<|endoftext|>")),
    "llama3": Family(tokenizers.LLAMA3_CONTROL, (), tokenizers.LLAMA3_NAMES),
    "llava_next": Family(make=_llama2),
    "muse_glimmer": Family(_MUSE, (), _names(_MUSE[0], "<|eot|>", "<|pad|>")),
    "nemotron": _CHATML,
    "phi3": Family(make=lambda text: _llama2(text, _PHI3)),
    "qwen": _CHATML,
    "smolvlm": Family(
        ("<|im_start|>", "<end_of_utterance>", "<image>"), (),
        _names("<|im_start|>", "<end_of_utterance>", "<|im_start|>"),
    ),
}  # fmt: skip


def load(template: str) -> Any:
    """The tokenizer of a template's family, with it.

    Raises:
        KeyError: the template is of a family that is not known here.
        NotInstalledError: a package that is needed is not installed.
    """
    family = max((name for name in FAMILIES if template.startswith(name)), key=len, default=None)
    if family is None:
        raise KeyError(f"{template}: TRL ships it and no family of FAMILIES has it; add one")
    return FAMILIES[family].tokenizer(templates.of_trl(template))
