"""The base model: a tiny Llama from scratch, or a model from the hub or a folder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from curation.core.errors import UserError
from training.core import checkpoint, gguf, padding, template_source, vocabulary
from training.core.chat_template import ChatTemplate
from training.core.origin import Origin
from training.core.settings import Architecture
from training.trainers import tokenizer


def from_scratch(
    path: Path, texts: Iterable[str], vocab_size: int, shape: Architecture, seed: int
) -> dict[str, Any]:
    """Train a tokenizer on the corpus and write a Llama with random weights.

    Returns:
        Facts for the summary: parameters and vocabulary.
    """
    import torch
    from transformers import LlamaForCausalLM

    tokens = tokenizer.train(texts, vocab_size)
    torch.manual_seed(seed)
    model = LlamaForCausalLM(_config(shape, tokens))
    checkpoint.save(path, model, tokens, {"kind": "base"})
    return {"parameters": model.num_parameters(), "vocabulary": len(tokens)}


def _config(shape: Architecture, tokens: Any) -> Any:
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=len(tokens),
        hidden_size=shape.hidden_size,
        intermediate_size=shape.intermediate_size,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        max_position_embeddings=shape.max_position,
        initializer_range=shape.initializer_range,
        tie_word_embeddings=True,
        pad_token_id=tokens.pad_token_id,
        bos_token_id=tokens.bos_token_id,
        eos_token_id=tokens.eos_token_id,
    )


@dataclass(frozen=True)
class Chat:
    """How a model from outside talks.

    Attributes:
        template: name of a shipped template, for a base model that has none of its own.
        fold: whether a system message goes in front of the first user's content.
        day: what a template that prints today's date prints.
    """

    template: str | None = None
    fold: bool = False
    day: date = template_source.DATE

    def settle(self, tokens: Any) -> None:
        """Give a tokenizer its template, the same for every reader and on every day.

        Raises:
            UserError: there is none, or it ends an answer with what is no special token.
        """
        if self.template is not None:
            tokens.chat_template = tokenizer.template(self.template)
        if tokens.chat_template:
            source = template_source.pinned(tokens.get_chat_template(), self.day)
            tokens.chat_template = template_source.folded(source) if self.fold else source
        _ = ChatTemplate(tokens).end_id

    @property
    def card(self) -> dict[str, Any]:
        """What the checkpoint's card tells of it."""
        return {"template_date": self.day.isoformat(), "system": "fold" if self.fold else "native"}


def from_source(path: Path, origin: Origin, chat: Chat, trust: bool) -> dict[str, Any]:
    """Copy a model of the hub, of a folder or of a GGUF file into a checkpoint of the project.

    Args:
        path: folder of the checkpoint.
        origin: where the model's files are.
        chat: its template, and what is settled of it.
        trust: whether code that comes with the weights may run.

    Raises:
        UserError: the model can't be read, or has no chat template that can be trained on.
    """
    model, tokens = _published(origin, chat, trust)
    _fit_turns(model, tokens)
    told = {"kind": "base", "uri": origin.uri, "revision": origin.revision, **origin.facts}
    if origin.gguf is not None:
        told |= gguf.facts(origin.file)
    checkpoint.save(path, model, tokens, {**told, **chat.card})
    return {"parameters": model.num_parameters(), "vocabulary": len(tokens)}


def turn_tokens(path: Path) -> list[str]:
    """What begins and ends turns in a checkpoint's template: no content may spell it."""
    return list(ChatTemplate(checkpoint.load_tokenizer(path)).structure.turns)


def _published(origin: Origin, chat: Chat, trust: bool) -> tuple[Any, Any]:
    """Model and tokenizer; a template that can't be trained on is refused before the weights."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    options = {"revision": origin.revision, "trust_remote_code": trust}
    try:
        if origin.gguf is not None:
            tokens = gguf.tokenizer(origin)
            chat.settle(tokens)
            return gguf.model(origin), tokens
        tokens = AutoTokenizer.from_pretrained(origin.place, **options)
        chat.settle(tokens)
        model = AutoModelForCausalLM.from_pretrained(
            origin.place, dtype="auto", use_safetensors=True, **options
        )
    except (OSError, ValueError) as error:
        raise UserError(f"base.uri: {origin.uri}: {str(error).splitlines()[0]}") from error
    return model, tokens


def _fit_turns(model: Any, tokens: Any) -> None:
    """Make everybody's end of text that of a turn, and pad with a token that ends none.

    A base model that gets a chat model's template, and some chat models too, publish an end of text
    that ends no turn: trainers and harnesses that read it would go on past the answer. All ends
    that were named before go on ending responses.
    """
    found = ChatTemplate(tokens)
    ends = {found.end_id, *vocabulary.ids(tokens.eos_token_id)}
    ends |= set(vocabulary.ids(model.config.get_text_config().eos_token_id))
    ends |= set(vocabulary.ids(model.generation_config.eos_token_id))
    if "eos_token" not in tokens.chat_template:
        tokens.eos_token = tokens.convert_ids_to_tokens(found.end_id)
    model.generation_config.eos_token_id = sorted(ends)
    padding.fit(tokens, model, ends)
    model.generation_config.pad_token_id = tokens.pad_token_id
