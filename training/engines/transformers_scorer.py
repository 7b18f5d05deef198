"""The embedded scorer: each prompt computed once with its responses, or padded batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from training.core import checkpoint
from training.core.environment import device
from training.engines import shared_prefix
from training.engines.batching import by_tokens
from training.engines.reading import up_to_score
from training.engines.shared_prefix import Group

Answer = tuple[tuple[int, ...], tuple[int, ...]]  # prompt, response


class TransformersScorer:
    """Scores sequences with any AutoModelForSequenceClassification of one label.

    On a CPU every pass is one prompt with its responses, so that a reward depends on nothing else,
    whatever the shards; on a GPU prompts are packed up to the token budget. Models whose attention
    is not plain (sliding windows, soft caps) get length-sorted padded batches instead.

    Args:
        path: the classifier's checkpoint.
        dtype: number type of the forward pass.
        batch_tokens: bound on the tokens of one pass.

    Raises:
        UserError: the model has not exactly one label.
    """

    name = "transformers"

    def __init__(self, path: Path, dtype: str, batch_tokens: int) -> None:
        self.model = checkpoint.load_classifier(path, dtype).to(device())
        self.dtype = dtype
        self._pad = self.model.config.get_text_config().pad_token_id
        self.shares = shared_prefix.enable(self.model)
        self._batch_tokens = batch_tokens
        self._packs = device() != "cpu"

    def score(
        self, items: Sequence[Sequence[int]], prompts: Sequence[int] | None = None
    ) -> list[float]:
        """The raw score (no sigmoid) of each sequence, read where plain transformers reads it.

        Args:
            items: token ids.
            prompts: how many leading tokens of each item are its prompt, which is computed once
                for all items that have it; equal items are computed once in any case.
        """
        import torch

        items = up_to_score(items, self._pad)
        with torch.inference_mode():
            if not self.shares:
                return self._padded(items)
            known: dict[Answer, float] = {}
            wanted = [
                _split(item, n) for item, n in zip(items, prompts or [0] * len(items), strict=True)
            ]
            for batch in _passes(_groups(wanted), self._batch_tokens, self._packs):
                scores = iter(shared_prefix.score(self.model, batch))
                for group in batch:
                    for answer in group.answers:
                        known[tuple(group.prompt), tuple(answer)] = next(scores)
        return [known[one] for one in wanted]

    def _padded(self, items: Sequence[Sequence[int]]) -> list[float]:
        result = [0.0] * len(items)
        for indices in by_tokens([len(item) for item in items], self._batch_tokens):
            scores = _batch(self.model, [items[index] for index in indices])
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
    import torch

    width = max(len(item) for item in items)
    # The items end where their scores stand; pad with a token that none of them ends with.
    pad = _unused({item[-1] for item in items})
    model.config.pad_token_id = model.config.get_text_config().pad_token_id = pad
    ids = torch.tensor([[*item, *[pad] * (width - len(item))] for item in items])
    attention = torch.tensor([[1] * len(item) + [0] * (width - len(item)) for item in items])
    logits = model(
        input_ids=ids.to(model.device), attention_mask=attention.to(model.device), use_cache=False
    ).logits
    return [float(value) for value in logits[:, 0].float().cpu()]


def _unused(taken: set[int]) -> int:
    return next(token for token in range(len(taken) + 1) if token not in taken)
