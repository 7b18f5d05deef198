"""Passes of a classifier's backbone over sequences: each prompt once with its responses, or padded.

On a CPU every pass is one prompt with its responses, so that a result depends on nothing else,
whatever the shards; on a GPU prompts are packed up to the token budget. Models whose attention is
not plain (sliding windows, soft caps) get length-sorted padded batches instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from training.core.environment import device
from training.core.settings import Pooling
from training.engines import shared_prefix
from training.engines.batching import by_tokens
from training.engines.reading import up_to_score
from training.engines.shared_prefix import Group

Answer = tuple[tuple[int, ...], tuple[int, ...]]  # prompt, response
T = TypeVar("T")
Head = Callable[[Any], list[T]]  # what is read of some responses, [n, hidden] -> a value for each


class Passes:
    """Reads sequences with a one-label classifier that is loaded already.

    Args:
        model: the classifier, on its device.
        batch_tokens: bound on the tokens of one pass.
        pooling: whether the head reads the last token or the mean over the response.
    """

    def __init__(self, model: Any, batch_tokens: int, pooling: Pooling) -> None:
        self._model, self._budget, self._mean = model, batch_tokens, pooling == "mean"
        self._pad = model.config.get_text_config().pad_token_id
        self.shares = shared_prefix.enable(model)
        self._packs = device() != "cpu"

    def scores(self, items: Sequence[Sequence[int]], prompts: Sequence[int] | None) -> list[float]:
        """The head's raw score of each sequence; `prompts` as in `each`."""
        if not self.shares and not self._mean:
            return self._classified(up_to_score(items, self._pad))
        return self.each(items, prompts, self._scored)

    def each(
        self, items: Sequence[Sequence[int]], prompts: Sequence[int] | None, head: Head[T]
    ) -> list[T]:
        """The head's value for each sequence, in order.

        Args:
            items: token ids.
            prompts: how many leading tokens of each item are its prompt, which is computed once
                for all items that have it; equal items are computed once in any case. A mean over
                the response needs them.
        """
        import torch

        if prompts is None and self._mean:
            raise ValueError("a mean over the response needs the prompts' lengths")
        items = list(items) if self._mean else up_to_score(items, self._pad)
        sizes = prompts or [0] * len(items)
        with torch.inference_mode():
            return self._shared(items, sizes, head) if self.shares else self._padded(
                items, sizes, head
            )  # fmt: skip

    def _shared(
        self, items: Sequence[Sequence[int]], prompts: Sequence[int], head: Head[T]
    ) -> list[T]:
        known: dict[Answer, T] = {}
        wanted = [_split(item, n) for item, n in zip(items, prompts, strict=True)]
        for batch in _passes(_groups(wanted), self._budget, self._packs):
            found = iter(head(shared_prefix.read(self._model, batch, mean=self._mean)))
            for group in batch:
                for answer in group.answers:
                    known[tuple(group.prompt), tuple(answer)] = next(found)
        return [known[one] for one in wanted]

    def _padded(
        self, items: Sequence[Sequence[int]], prompts: Sequence[int], head: Head[T]
    ) -> list[T]:
        found: dict[int, T] = {}
        for indices in by_tokens([len(item) for item in items], self._budget):
            ids, seen = _rectangle([items[index] for index in indices], 0, self._model.device)
            hidden = self._model.base_model(input_ids=ids, attention_mask=seen, use_cache=False)
            rows = self._pooled(hidden.last_hidden_state, seen, [prompts[k] for k in indices])
            found.update(zip(indices, head(rows), strict=True))
        return [found[place] for place in range(len(items))]

    def _pooled(self, hidden: Any, seen: Any, prompts: Sequence[int]) -> Any:
        import torch

        if not self._mean:
            return hidden[range(len(prompts)), seen.sum(-1) - 1]
        return torch.stack(
            [
                row[prompt : int(own.sum())].float().mean(0).to(row.dtype)
                for row, own, prompt in zip(hidden, seen, prompts, strict=True)
            ]
        )

    def _scored(self, rows: Any) -> list[float]:
        return [float(value) for value in self._model.score(rows)[:, 0].float().cpu()]

    def _classified(self, items: Sequence[Sequence[int]]) -> list[float]:
        """Scores by the classifier's own forward, whatever its head is called."""
        import torch

        result = [0.0] * len(items)
        for indices in by_tokens([len(item) for item in items], self._budget):
            with torch.inference_mode():
                scores = _batch(self._model, [items[index] for index in indices])
            for index, score in zip(indices, scores, strict=True):
                result[index] = score
        return result


def _split(item: Sequence[int], prompt: int) -> Answer:
    """Prompt and response; the response is never empty, for the score is read at its end."""
    at = min(prompt, len(item) - 1)
    return tuple(item[:at]), tuple(item[at:])


def _groups(wanted: Sequence[Answer]) -> list[Group]:
    """Responses by prompt, each once and in an order of their own: not that of the items."""
    found: dict[tuple[int, ...], set[tuple[int, ...]]] = {}
    for prompt, answer in wanted:
        found.setdefault(prompt, set()).add(answer)
    return [Group(prompt, sorted(answers)) for prompt, answers in found.items()]


def _passes(groups: Sequence[Group], budget: int, packs: bool) -> Iterator[list[Group]]:
    """What is computed together: one group, or whole groups up to the budget."""
    batch: list[Group] = []
    for group in (part for whole in groups for part in _bounded(whole, budget)):
        if batch and (not packs or sum(one.tokens for one in batch) + group.tokens > budget):
            yield batch
            batch = []
        batch.append(group)
    if batch:
        yield batch


def _bounded(group: Group, budget: int) -> Iterator[Group]:
    """The group, or parts of it that each repeat the prompt and keep to the budget."""
    part: list[Sequence[int]] = []
    size = len(group.prompt)
    for answer in group.answers:
        if part and size + len(answer) > budget:
            yield Group(group.prompt, part)
            part, size = [], len(group.prompt)
        part.append(answer)
        size += len(answer)
    yield Group(group.prompt, part)


def _batch(model: Any, items: Sequence[Sequence[int]]) -> list[float]:
    # The items end where their scores stand; pad with a token that none of them ends with.
    pad = _unused({item[-1] for item in items})
    model.config.pad_token_id = model.config.get_text_config().pad_token_id = pad
    ids, seen = _rectangle(items, pad, model.device)
    logits = model(input_ids=ids, attention_mask=seen, use_cache=False).logits
    return [float(value) for value in logits[:, 0].float().cpu()]


def _rectangle(items: Sequence[Sequence[int]], pad: int, there: Any) -> tuple[Any, Any]:
    """Token ids padded on the right to one width, and which of them are no padding."""
    import torch

    width = max(len(item) for item in items)
    ids = torch.tensor([[*item, *[pad] * (width - len(item))] for item in items])
    seen = torch.tensor([[1] * len(item) + [0] * (width - len(item)) for item in items])
    return ids.to(there), seen.to(there)


def _unused(taken: set[int]) -> int:
    return next(token for token in range(len(taken) + 1) if token not in taken)
