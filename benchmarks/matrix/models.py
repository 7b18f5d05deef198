"""Random models behind a tokenizer: a policy as it would be published, and a judge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks import architectures

ENDS, ADDED = 7.0, 5.0  # standard deviations of the logits of the end and of added tokens
_RAISED = 6
_ROUND = 128  # rows of an embedding are a multiple of it: the last ones are no token


def policy(path: Path, tokenizer: Any, architecture: str, end: int, context: int) -> None:
    """Write a random policy whose responses end now and then, and hold added tokens.

    Its embedding has more rows than the tokenizer has tokens, as published models have. Input and
    output have weights of their own: tied ones would have a token of a large row repeat itself.

    Args:
        end: the token that ends a response.
        context: the most tokens that it takes.
    """
    changed = {"vocab_size": _rows(tokenizer), "tie_word_embeddings": False} | _places(context)
    model = architectures.random_model(architecture, tokenizer, **changed)
    added = tokenizer.added_tokens_decoder.items()
    plain = [int(token) for token, one in added if not one.special][:_RAISED]
    _raise(model, dict.fromkeys(plain, ADDED) | {end: ENDS})
    model.save_pretrained(path)
    tokenizer.save_pretrained(path)


def judge(path: Path, start: Path, context: int) -> None:
    """Write a random reward model over a policy's backbone, or a Llama where it can have none."""
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification

    from training.core import checkpoint, padding, vocabulary
    from training.core.chat_template import ChatTemplate

    tokenizer = checkpoint.load_tokenizer(start)
    ends = vocabulary.of(start, tokenizer, ChatTemplate(tokenizer)).ends
    torch.manual_seed(2)
    config = AutoConfig.from_pretrained(start)
    if type(config) in AutoModelForSequenceClassification._model_mapping:
        model = checkpoint.load_classifier(start, num_labels=1)
    else:
        changed = {"vocab_size": _rows(tokenizer), "num_labels": 1} | _places(context)
        config = AutoConfig.for_model("llama", **(architectures.SHAPES["llama"] | changed))
        model = AutoModelForSequenceClassification.from_config(config)
    torch.nn.init.normal_(model.score.weight, std=0.5)
    padding.fit(tokenizer, model, ends)
    card = {"kind": "reward_model", "name": "reward_model/random"}
    checkpoint.save(path, model.eval(), tokenizer, card)


def _places(context: int) -> dict[str, int]:
    """A context by the names that architectures have for it."""
    return {"max_position_embeddings": context, "n_positions": context}


def _rows(tokenizer: Any) -> int:
    return (len(tokenizer) // _ROUND + 1) * _ROUND


def _raise(model: Any, tokens: dict[int, float]) -> None:
    """Give tokens rows of a larger scale: each is then all but certain behind a few contexts.

    States come out of a norm, so a row of standard deviation s gives logits of about s.
    """
    import torch

    weight = model.get_output_embeddings().weight
    with torch.no_grad():
        for token, scale in tokens.items():
            row = torch.randn(weight.shape[1], generator=torch.Generator().manual_seed(token))
            weight[token] = row * scale / weight.shape[1] ** 0.5
