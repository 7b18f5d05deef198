"""Log-probabilities of completions under a policy, in length-sorted token-budget batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from training.core.environment import device
from training.engines.batching import by_tokens

Item = tuple[Sequence[int], Sequence[int]]


def completion_logprobs(model: Any, items: Sequence[Item], batch_tokens: int) -> list[float]:
    """Sum over the completion's tokens, its end token included, of log pi(token | before).

    Args:
        model: a causal language model.
        items: (prompt ids, completion ids).
        batch_tokens: at most this many tokens, padding included, in one forward pass.

    Returns:
        One sum per item, in the items' order; natural logarithms, summed in float64.
    """
    whole = [len(completion) for _, completion in items]
    return [total for total, _ in partial_logprobs(model, items, whole, batch_tokens)]


def partial_logprobs(
    model: Any, items: Sequence[Item], heads: Sequence[int], batch_tokens: int
) -> list[tuple[float, float]]:
    """Like `completion_logprobs`, with the sum over each completion's first tokens beside it.

    Args:
        heads: how many of each completion's tokens the second sum takes.
    """
    import torch

    model = model.to(device())
    result = [(0.0, 0.0)] * len(items)
    lengths = [len(prompt) + len(completion) for prompt, completion in items]
    with torch.inference_mode():
        for indices in by_tokens(lengths, batch_tokens):
            sums = _batch(model, [(*items[index], heads[index]) for index in indices])
            for index, value in zip(indices, sums, strict=True):
                result[index] = value
    return result


def _batch(
    model: Any, items: Sequence[tuple[Sequence[int], Sequence[int], int]]
) -> list[tuple[float, float]]:
    import torch

    ids = [[*prompt, *completion] for prompt, completion, _ in items]
    width = max(len(row) for row in ids)
    tokens = torch.tensor([row + [0] * (width - len(row)) for row in ids])
    attention = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in ids])
    tokens, attention = tokens.to(model.device), attention.to(model.device)
    # Only positions from the shortest prompt's last token on predict a completion token.
    first = min(len(prompt) for prompt, _, _ in items) - 1
    keep = torch.arange(first, width - 1, device=model.device)
    logits = model(
        input_ids=tokens, attention_mask=attention, logits_to_keep=keep, use_cache=False
    ).logits
    if logits.shape[1] != len(keep):  # an architecture that takes no notice of logits_to_keep
        logits = logits[:, keep]
    logps = torch.log_softmax(logits.float(), dim=-1)
    picked = logps.gather(-1, tokens[:, first + 1 :].unsqueeze(-1)).squeeze(-1).double()
    starts = [len(prompt) - 1 - first for prompt, _, _ in items]
    whole = _sums(picked, starts, [len(completion) for _, completion, _ in items])
    return list(zip(whole, _sums(picked, starts, [head for _, _, head in items]), strict=True))


def _sums(picked: Any, starts: Sequence[int], counts: Sequence[int]) -> list[float]:
    """Per row the sum of `counts` values from `starts` on."""
    import torch

    mask = torch.zeros_like(picked, dtype=torch.bool)
    for row, (start, count) in enumerate(zip(starts, counts, strict=True)):
        mask[row, start : start + count] = True
    return [float(value) for value in picked.where(mask, picked.new_zeros(())).sum(dim=1)]
