"""Log-probabilities of completions under a policy, in length-sorted token-budget batches.

Where a batch would have more logits than LOGITS, they are computed for some tokens at a time and
only for those that a completion has; a model that can't be split so gets smaller batches. The
number of tokens that are computed at once moves a float32 sum by less than 1e-5 of its size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from training.core import checkpoint
from training.core.environment import device
from training.engines import lm_head
from training.engines.batching import by_tokens

LOGITS = 2**27  # at once: 512 MiB in float32, and as much again for their softmax

Item = tuple[Sequence[int], Sequence[int]]
Pick = Callable[[Any, Any, Any], list[Any]]
"""Logits [rows, tokens, vocabulary], next tokens [rows, tokens], the rows' numbers, which fit the
tokens' shape -> values [rows, tokens] of either sum."""


def completion_logprobs(
    model: Any, items: Sequence[Item], batch_tokens: int, *, bf16: bool = False
) -> list[float]:
    """Sum over the completion's tokens, its end token included, of log pi(token | before).

    Args:
        model: a causal language model.
        items: (prompt ids, completion ids).
        batch_tokens: at most this many tokens, padding included, in one forward pass.
        bf16: compute as TRL's trainers do where `bf16` is set: matrix products in bfloat16.

    Returns:
        One sum per item, in the items' order; natural logarithms, summed in float64.
    """
    whole = [len(completion) for _, completion in items]
    return [total for total, _ in partial_logprobs(model, items, whole, batch_tokens, bf16=bf16)]


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
    """
    whole = [len(completion) for _, completion in items]

    def pick(logits: Any, tokens: Any, _: Any) -> list[Any]:
        return [_picked(logits, tokens)] * 2

    return _by_batch(model, items, (whole, heads), batch_tokens, pick, bf16=bf16)


def tempered_logprobs(
    model: Any,
    items: Sequence[Item],
    temperatures: Sequence[float],
    batch_tokens: int,
    *,
    bf16: bool = False,
) -> list[tuple[float, float]]:
    """Sums of log pi(token | before), and of the same under the temperature that drew each item.

    Sampling at temperature T draws from softmax(logits / T), which is another policy than pi.
    """
    import torch

    heats = torch.tensor(temperatures, device=device())
    whole = [len(completion) for _, completion in items]

    def pick(logits: Any, tokens: Any, rows: Any) -> list[Any]:
        plain, heat = _picked(logits, tokens), heats[rows]
        if bool((heat == 1).all()):
            return [plain, plain]
        return [plain, _picked(logits / heat[..., None], tokens)]

    return _by_batch(model, items, (whole, whole), batch_tokens, pick, bf16=bf16)


def loaded(path: Path, *, bf16: bool) -> Any:
    """A policy for these sums; with `bf16` in half the memory."""
    model = checkpoint.load_policy(path)
    return halved(model) if bf16 else model


def halved(model: Any) -> Any:
    """Round a model's matrices to bfloat16 once, where every pass of `bf16` would do it again.

    The sums are the same to the bit. What no matrix product rounds (norms, embeddings, a head that
    is tied to them) stays.
    """
    import torch

    kept = {id(one.weight) for one in model.modules() if isinstance(one, torch.nn.Embedding)}
    for module in model.modules():
        if isinstance(module, torch.nn.Linear) and id(module.weight) not in kept:
            for name, own in list(module.named_parameters(recurse=False)):
                half = own.detach().to(torch.bfloat16)
                setattr(module, name, torch.nn.Parameter(half, own.requires_grad))
    return model


def _by_batch(
    model: Any,
    items: Sequence[Item],
    counts: tuple[Sequence[int], Sequence[int]],
    budget: int,
    pick: Pick,
    *,
    bf16: bool,
) -> list[tuple[float, float]]:
    """Two sums per item, each over its own count of tokens, computed in length-sorted batches."""
    import torch

    model.to(device())
    result = [(0.0, 0.0)] * len(items)
    lengths = [len(prompt) + len(completion) for prompt, completion in items]
    most = LOGITS // max(1, lm_head.vocabulary(model))
    with torch.inference_mode(), torch.autocast(device(), torch.bfloat16, enabled=bf16):
        parts = budget > most and lm_head.splits(model)
        for indices in by_tokens(lengths, budget if parts else min(budget, max(1, most))):
            batch = _Batch(model, [items[index] for index in indices])
            values = batch.values(pick, indices, most if parts else None)
            first, second = (
                _sums(one, batch.starts, [count[index] for index in indices])
                for one, count in zip(values, counts, strict=True)
            )
            for index, sums in zip(indices, zip(first, second, strict=True), strict=True):
                result[index] = sums
    return result


class _Batch:
    """Rows of a prompt and its completion, padded behind.

    Attributes:
        starts: where each row's completion begins among the places that are kept.
    """

    def __init__(self, model: Any, items: Sequence[Item]) -> None:
        import torch

        ids = [[*prompt, *completion] for prompt, completion in items]
        width = max(len(row) for row in ids)
        tokens = torch.tensor([row + [0] * (width - len(row)) for row in ids])
        attention = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in ids])
        # Only positions from the shortest prompt's last token on predict a completion token.
        first = min(len(prompt) for prompt, _ in items) - 1
        self.starts = [len(prompt) - 1 - first for prompt, _ in items]
        self._sizes = [len(completion) for _, completion in items]
        self._model = model
        self._inputs = {
            "input_ids": tokens.to(model.device),
            "attention_mask": attention.to(model.device),
        }
        self._keep = torch.arange(first, width - 1, device=model.device)
        self._next = self._inputs["input_ids"][:, first + 1 :]

    def values(self, pick: Pick, rows: Sequence[int], at_once: int | None) -> list[Any]:
        """What `pick` makes of the logits; [rows, places] each, in float64."""
        import torch

        numbers = torch.tensor(rows, device=self._model.device)[:, None].expand_as(self._next)
        if at_once is None or self._next.numel() <= at_once:
            return pick(self._logits(), self._next, numbers)
        body = lm_head.hidden(self._model, **self._inputs)
        states = body.last_hidden_state[:, self._keep]
        said = _spans(self._next, self.starts, self._sizes)
        result = self._next.new_zeros((2, *said.shape), dtype=torch.float64)
        each = [one[said].split(max(1, at_once)) for one in (states, self._next, numbers)]
        found = [
            torch.cat(pick(lm_head.logits(self._model, body, some), tokens[None], row[None]))
            for some, tokens, row in zip(*each, strict=True)
        ]
        result[:, said] = torch.cat(found, dim=1)
        return list(result)

    def _logits(self) -> Any:
        """Logits that predict the tokens of `_next`, all at once."""
        logits = self._model(**self._inputs, logits_to_keep=self._keep, use_cache=False).logits
        if logits.shape[1] != len(self._keep):  # an architecture without logits_to_keep
            logits = logits[:, self._keep]
        return logits


def _picked(logits: Any, tokens: Any) -> Any:
    """log pi of each token, [rows, positions], by a softmax in float32, in float64."""
    import torch

    logps = torch.log_softmax(logits.float(), dim=-1)
    return logps.gather(-1, tokens.unsqueeze(-1)).squeeze(-1).double()


def _sums(picked: Any, starts: Sequence[int], counts: Sequence[int]) -> list[float]:
    """Per row the sum of `counts` values from `starts` on."""
    mask = _spans(picked, starts, counts)
    return [float(value) for value in picked.where(mask, picked.new_zeros(())).sum(dim=1)]


def _spans(like: Any, starts: Sequence[int], counts: Sequence[int]) -> Any:
    """In every row True at `counts` places from `starts` on."""
    import torch

    mask = torch.zeros_like(like, dtype=torch.bool)
    for row, (start, count) in enumerate(zip(starts, counts, strict=True)):
        mask[row, start : start + count] = True
    return mask
