"""A causal model in two steps: hidden states, then the logits of some of them.

Logits are what a batch has most of: at 128K tokens of vocabulary 60 times its hidden states. The
second step is the model's own forward upon hidden states that are there already, so all that it
does behind its last layer (a scale, a soft cap, a cast) is done as it does it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_PROBE, _FROM = (1, 2, 3, 4, 5), 2


def hidden(model: Any, **inputs: Any) -> Any:
    """The body's answer; its last_hidden_state is [rows, tokens, width]."""
    return model.base_model(**inputs, use_cache=False)


def logits(model: Any, body: Any, states: Any) -> Any:
    """Logits [1, tokens, vocabulary] of hidden states [tokens, width] in the body's answer."""
    import torch

    body.last_hidden_state = states[None]
    nothing = torch.zeros((1, len(states)), dtype=torch.long, device=states.device)
    with _answering(model.base_model, body):
        return model(input_ids=nothing, use_cache=False).logits


@contextmanager
def _answering(body: Any, answer: Any) -> Iterator[None]:
    """Have a module give this answer, whatever it is asked."""
    own = vars(body).get("forward")
    body.forward = lambda *_, **__: answer
    try:
        yield
    finally:
        del body.forward
        if own is not None:
            body.forward = own


def splits(model: Any) -> bool:
    """Whether the two steps give what one gives, found by asking the model both ways."""
    import torch

    if getattr(model, "base_model", model) is model:
        return False
    ids = torch.tensor([_PROBE], device=model.device)
    with torch.inference_mode():
        whole = model(input_ids=ids, use_cache=False).logits
        try:
            body = hidden(model, input_ids=ids)
            parts = logits(model, body, body.last_hidden_state[0, _FROM:])
        except (RuntimeError, TypeError, ValueError, AttributeError, IndexError):
            return False
    near = 1e-5 if model.dtype == torch.float32 else 1e-2
    wanted = whole[:, _FROM:]
    same = parts.shape == wanted.shape
    return same and bool((parts - wanted).abs().max() <= near * wanted.abs().max().clamp(min=1))


def vocabulary(model: Any) -> int:
    """How many logits a token has; 0 where the model does not tell."""
    config = getattr(model, "config", None)
    return int(config.get_text_config().vocab_size) if config is not None else 0
