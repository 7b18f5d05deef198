"""Log-probabilities of completions under a policy, in length-sorted token-budget batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from training.core.environment import device
from training.engines.batching import by_tokens

Item = tuple[Sequence[int], Sequence[int]]
Sums = Callable[[Sequence[int]], list[tuple[float, float]]]


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
    model: Any,
    items: Sequence[Item],
    heads: Sequence[int],
    batch_tokens: int,
    *,
    bf16: bool = False,
) -> list[tuple[float, float]]:
    """Like `completion_logprobs`, with the sum over each completion's first tokens beside it.

    Args:
        heads: how many of each completion's tokens the second sum takes.
        bf16: compute as TRL's trainers do where `bf16` is set: matrix products in bfloat16.
    """

    def sums(rows: Sequence[int]) -> list[tuple[float, float]]:
        some = [items[row] for row in rows]
        logits, tokens, starts = _logits(model, some)
        picked = _picked(logits, tokens)
        whole = _sums(picked, starts, [len(completion) for _, completion in some])
        return list(zip(whole, _sums(picked, starts, [heads[row] for row in rows]), strict=True))

    return _by_batch(model, items, batch_tokens, sums, bf16)


def tempered_logprobs(
    model: Any, items: Sequence[Item], temperatures: Sequence[float], batch_tokens: int
) -> list[tuple[float, float]]:
    """Sums of log pi(token | before), and of the same under the temperature that drew each item.

    Sampling at temperature T draws from softmax(logits / T), which is another policy than pi.
    """
    import torch

    def sums(rows: Sequence[int]) -> list[tuple[float, float]]:
        some = [items[row] for row in rows]
        logits, tokens, starts = _logits(model, some)
        sizes = [len(completion) for _, completion in some]
        plain = _sums(_picked(logits, tokens), starts, sizes)
        heat = torch.tensor([temperatures[row] for row in rows], device=logits.device)
        if bool((heat == 1).all()):
            return list(zip(plain, plain, strict=True))
        tempered = _sums(_picked(logits / heat[:, None, None], tokens), starts, sizes)
        return list(zip(plain, tempered, strict=True))

    return _by_batch(model, items, batch_tokens, sums)


def _by_batch(
    model: Any, items: Sequence[Item], budget: int, sums: Sums, bf16: bool = False
) -> list[tuple[float, float]]:
    """Two sums per item, computed in length-sorted batches."""
    import torch

    model.to(device())
    result = [(0.0, 0.0)] * len(items)
    lengths = [len(prompt) + len(completion) for prompt, completion in items]
    with torch.inference_mode(), torch.autocast(device(), torch.bfloat16, enabled=bf16):
        for indices in by_tokens(lengths, budget):
            for index, value in zip(indices, sums(indices), strict=True):
                result[index] = value
    return result


def _logits(model: Any, items: Sequence[Item]) -> tuple[Any, Any, list[int]]:
    """Float32 logits that predict completion tokens, those tokens, and where each row's begin."""
    import torch

    ids = [[*prompt, *completion] for prompt, completion in items]
    width = max(len(row) for row in ids)
    tokens = torch.tensor([row + [0] * (width - len(row)) for row in ids])
    attention = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in ids])
    tokens, attention = tokens.to(model.device), attention.to(model.device)
    # Only positions from the shortest prompt's last token on predict a completion token.
    first = min(len(prompt) for prompt, _ in items) - 1
    keep = torch.arange(first, width - 1, device=model.device)
    logits = model(
        input_ids=tokens, attention_mask=attention, logits_to_keep=keep, use_cache=False
    ).logits
    if logits.shape[1] != len(keep):  # an architecture that takes no notice of logits_to_keep
        logits = logits[:, keep]
    return logits.float(), tokens[:, first + 1 :], [len(prompt) - 1 - first for prompt, _ in items]


def _picked(logits: Any, tokens: Any) -> Any:
    """log pi of each token, [rows, positions], in float64."""
    import torch

    logps = torch.log_softmax(logits, dim=-1)
    return logps.gather(-1, tokens.unsqueeze(-1)).squeeze(-1).double()


def _sums(picked: Any, starts: Sequence[int], counts: Sequence[int]) -> list[float]:
    """Per row the sum of `counts` values from `starts` on."""
    import torch

    mask = torch.zeros_like(picked, dtype=torch.bool)
    for row, (start, count) in enumerate(zip(starts, counts, strict=True)):
        mask[row, start : start + count] = True
    return [float(value) for value in picked.where(mask, picked.new_zeros(())).sum(dim=1)]
