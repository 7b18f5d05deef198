"""One pass over a prompt and all responses to it: each token once, no padding.

Prompt and responses stand in one row. Everything but attention treats tokens one by one, so only
attention needs to know the borders: a response sees the prompt and itself, never another response.
On a CPU this beat batches padded under a token budget, and the prompt's cache reused for one
response after another, on every shape tried (benchmarks/results/loop.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

NAME = "prefloop_shared_prefix"
_UNKNOWN = ("sliding_window", "softcap", "s_aux", "position_bias")  # attention unlike plain softmax
_PROBE = ([1, 2, 3, 4, 5], [[6, 7, 8], [9, 10, 11, 12], [6]])


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
    """Where a prompt and its responses lie in the row; the masks are [response, both]."""

    prompt: slice
    answers: list[tuple[slice, Any]]


def enable(model: Any) -> bool:
    """Let a one-label classifier score groups in one pass; False where it can't.

    It must give a small group the scores that the unchanged model gives each sequence alone.
    """
    import torch

    prompt, answers = _PROBE
    before = model.config._attn_implementation
    with torch.inference_mode():
        alone = [
            float(model(_row([*prompt, *answer], model), use_cache=False).logits[0, 0])
            for answer in answers
        ]
        try:
            _register()
            model.set_attn_implementation(NAME)
            together = score(model, [Group(prompt, answers)])
        except (CannotShareError, AttributeError, TypeError, ValueError):
            together = [float("nan")] * len(answers)
    near = 1e-4 if model.dtype == torch.float32 else 5e-2
    same = all(abs(a - b) <= near * (1 + abs(a)) for a, b in zip(alone, together, strict=True))
    if not same:
        model.set_attn_implementation(before)
    return same


def score(model: Any, groups: Sequence[Group]) -> list[float]:
    """Raw scores of every response of the groups, in order, computed in one pass."""
    tokens: list[int] = []
    places: list[int] = []
    spans = [_place(group, tokens, places, model) for group in groups]
    ends = [where.stop - 1 for span in spans for where, _ in span.answers]
    hidden = model.base_model(
        input_ids=_row(tokens, model), position_ids=_row(places, model), use_cache=False,
        shared_spans=spans,
    ).last_hidden_state  # fmt: skip
    return [float(value) for value in model.score(hidden[0, ends])[:, 0].float().cpu()]


def _row(tokens: Sequence[int], model: Any) -> Any:
    import torch

    return torch.tensor([tokens], device=model.device)


def _place(group: Group, tokens: list[int], places: list[int], model: Any) -> _Span:
    """Append a group to the row; its responses all begin where the prompt ends."""
    import torch

    start, size = len(tokens), len(group.prompt)
    tokens += group.prompt
    places += range(size)
    answers = []
    for answer in group.answers:
        where = slice(len(tokens), len(tokens) + len(answer))
        tokens += answer
        places += range(size, size + len(answer))
        seen = torch.ones(len(answer), size + len(answer), dtype=torch.bool).tril(size)
        mask = torch.zeros(seen.shape, dtype=model.dtype).masked_fill(~seen, float("-inf"))
        answers.append((where, mask.to(model.device)))
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
    for span in shared_spans:
        at = span.prompt
        keys, values = key[:, :, at], value[:, :, at]
        if at.stop > at.start:
            out[:, :, at] = attention(query[:, :, at], keys, values, is_causal=True, scale=scaling)
        for own, mask in span.answers:
            seen = torch.cat([keys, key[:, :, own]], 2)
            told = torch.cat([values, value[:, :, own]], 2)
            out[:, :, own] = attention(query[:, :, own], seen, told, attn_mask=mask, scale=scaling)
    return out.transpose(1, 2).contiguous(), None
