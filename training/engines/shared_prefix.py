"""One pass over a prompt and all responses to it: each token once, no padding.

Prompt and responses stand in one row. Everything but attention treats tokens one by one, so only
attention needs to know the borders: a response sees the prompt and itself, never another response.
On a CPU this beat batches padded under a token budget, and the prompt's cache reused for one
response after another, on every shape tried (benchmarks/results/loop.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

NAME = "prefloop_shared_prefix"
_UNKNOWN = ("sliding_window", "softcap", "s_aux", "position_bias")  # attention unlike plain softmax
_PROBE = ([1, 2, 3, 4, 5], [[6, 7, 8], [9, 10, 11, 12], [6]])


States = tuple[Any, Any, Any]
"""Query, key and value, [1, heads, tokens, size] each."""


class CannotShareError(Exception):
    """The model's attention is not plain causal softmax attention."""


@dataclass(frozen=True)
class Group:
    """Token ids of one prompt and of the different responses to it."""

    prompt: Sequence[int]
    answers: Sequence[Sequence[int]]

    @property
    def tokens(self) -> int:
        """Tokens that scoring it computes."""
        return len(self.prompt) + sum(len(answer) for answer in self.answers)


@dataclass(frozen=True)
class _Span:
    """Where a prompt and its responses lie in the row."""

    prompt: slice
    answers: list[slice]

    @property
    def rest(self) -> slice:
        """All responses."""
        return slice(self.prompt.stop, self.answers[-1].stop)

    @cached_property
    def masks(self) -> list[Any]:
        """What each response's tokens may see of the prompt and of the response, as booleans."""
        import torch

        size = self.prompt.stop - self.prompt.start
        lengths = [own.stop - own.start for own in self.answers]
        return [torch.ones(n, size + n, dtype=torch.bool).tril(size) for n in lengths]


def enable(model: Any) -> bool:
    """Let a one-label classifier score groups in one pass; False where it can't.

    It must give a small group the scores that the unchanged model gives each sequence alone.
    """
    import torch

    prompt, answers = _PROBE
    before = model.config._attn_implementation
    pads = model.config.pad_token_id, model.config.get_text_config().pad_token_id
    _read_before(model, None, None)  # the probe may end with it; one row needs none
    with torch.inference_mode():
        alone = [
            float(model(_row([*prompt, *answer], model), use_cache=False).logits[0, 0])
            for answer in answers
        ]
        try:
            _plain(model)
            _register()
            model.set_attn_implementation(NAME)
            together = score(model, [Group(prompt, answers)])
        except (CannotShareError, AttributeError, TypeError, ValueError, RuntimeError):
            together = [float("nan")] * len(answers)
    near = 1e-4 if model.dtype == torch.float32 else 5e-2
    same = all(abs(a - b) <= near * (1 + abs(a)) for a, b in zip(alone, together, strict=True))
    _read_before(model, *pads)
    if not same:
        model.set_attn_implementation(before)
    return same


def _plain(model: Any) -> None:
    """Refuse what keeps a state: it would carry one response into the next.

    Random weights can hide that from the small group's scores, so it is read off the cache.
    """
    from training.engines.memory import recurrent

    kept = model.base_model(_row(_PROBE[0], model), use_cache=True)
    if recurrent(getattr(kept, "past_key_values", None)):
        raise CannotShareError("a recurrent model")


def _read_before(model: Any, pad: int | None, text_pad: int | None) -> None:
    model.config.pad_token_id = pad
    model.config.get_text_config().pad_token_id = text_pad


def score(model: Any, groups: Sequence[Group]) -> list[float]:
    """Raw scores of every response of the groups, in order, computed in one pass."""
    return [float(value) for value in model.score(read(model, groups))[:, 0].float().cpu()]


def read(model: Any, groups: Sequence[Group], *, mean: bool = False) -> Any:
    """What the head reads of every response of the groups, in order, computed in one pass.

    Args:
        mean: the mean of the last hidden states over the response, not that of its last token.

    Returns:
        [responses, hidden].
    """
    import torch

    tokens: list[int] = []
    places: list[int] = []
    spans = [_place(group, tokens, places) for group in groups]
    answers = [own for span in spans for own in span.answers]
    hidden = model.base_model(
        input_ids=_row(tokens, model), position_ids=_row(places, model), use_cache=False,
        shared_spans=spans,
    ).last_hidden_state  # fmt: skip
    if not mean:
        return hidden[0, [own.stop - 1 for own in answers]]
    return torch.stack([hidden[0, own].float().mean(0) for own in answers]).to(hidden.dtype)


def _row(tokens: Sequence[int], model: Any) -> Any:
    import torch

    return torch.tensor([tokens], device=model.device)


def _place(group: Group, tokens: list[int], places: list[int]) -> _Span:
    """Append a group to the row; its responses all begin where the prompt ends."""
    start, size = len(tokens), len(group.prompt)
    tokens += group.prompt
    places += range(size)
    answers = []
    for answer in group.answers:
        answers.append(slice(len(tokens), len(tokens) + len(answer)))
        tokens += answer
        places += range(size, size + len(answer))
    return _Span(slice(start, start + size), answers)


def _register() -> None:
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, _attend)  # without a mask function: no mask is built


def _attend(
    module: Any,
    query: Any,
    key: Any,
    value: Any,
    attention_mask: Any,
    *,
    scaling: float | None = None,
    shared_spans: Sequence[_Span] = (),
    **options: Any,
) -> tuple[Any, None]:
    """Attention of a row of groups; [1, heads, tokens, size] to [1, tokens, heads, size]."""
    import torch
    from torch.nn.functional import scaled_dot_product_attention as attention

    odd = [name for name in _UNKNOWN if options.get(name) is not None]
    if odd or not shared_spans or not getattr(module, "is_causal", True):
        raise CannotShareError(", ".join(odd) or "not a causal model")
    repeats = getattr(module, "num_key_value_groups", 1)
    if repeats > 1:
        key, value = key.repeat_interleave(repeats, 1), value.repeat_interleave(repeats, 1)
    out = torch.empty_like(query)
    states, respond = (query, key, value), _merged if query.device.type == "cpu" else _masked
    for span in shared_spans:
        alone = span.answers
        if span.prompt.stop > span.prompt.start:
            alone = [span.prompt]
            out[:, :, span.rest] = respond(states, span, scaling)
        for at in alone:
            q, k, v = (one[:, :, at] for one in states)
            out[:, :, at] = attention(q, k, v, is_causal=True, scale=scaling)
    return out.transpose(1, 2).contiguous(), None


def _merged(states: States, span: _Span, scale: float | None) -> Any:
    """Attention of responses as the mean of two: of all to the prompt, and of each to itself.

    The weight of either is its sum of exponentials, which only this operator of torch's tells. No
    mask is read and blocks are larger, which saves a fifteenth of a pass's CPU time.
    """
    import torch

    attention = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    query, key, value = states
    far, far_sum = attention(
        query[:, :, span.rest], key[:, :, span.prompt], value[:, :, span.prompt], scale=scale
    )
    for own in span.answers:
        q, k, v = (one[:, :, own] for one in states)
        near, near_sum = attention(q, k, v, is_causal=True, scale=scale)
        at = slice(own.start - span.rest.start, own.stop - span.rest.start)
        weight = torch.sigmoid(near_sum - far_sum[:, :, at])[..., None]
        far[:, :, at].lerp_(near, weight.to(near.dtype))
    return far


def _masked(states: States, span: _Span, scale: float | None) -> Any:
    """Attention of each response to the prompt and itself at once, by a mask."""
    import torch
    from torch.nn.functional import scaled_dot_product_attention as attention

    found = []
    for own, mask in zip(span.answers, span.masks, strict=True):
        k, v = (torch.cat([one[:, :, span.prompt], one[:, :, own]], 2) for one in states[1:])
        seen = mask.to(k.device)
        found.append(attention(states[0][:, :, own], k, v, attn_mask=seen, scale=scale))
    return torch.cat(found, 2)
