"""Length-sorted batches under a budget of tokens: little padding, bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def by_tokens(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Yield batches of indices, longest first, of at most `budget` padded tokens each.

    An item longer than the budget is a batch of its own. Longest first means that a model that
    does not fit in memory fails at once and not in the last batch.
    """
    order = sorted(range(len(lengths)), key=lambda index: (-lengths[index], index))
    batch: list[int] = []
    for index in order:
        width = lengths[batch[0]] if batch else lengths[index]
        if batch and width * (len(batch) + 1) > budget:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch
