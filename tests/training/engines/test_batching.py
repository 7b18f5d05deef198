from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from training.engines.batching import by_tokens


@given(st.lists(st.integers(1, 50), max_size=60), st.integers(1, 200))
def test_every_item_once_within_the_budget(lengths: list[int], budget: int) -> None:
    batches = list(by_tokens(lengths, budget))
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        widest = max(lengths[index] for index in batch)
        assert len(batch) == 1 or widest * len(batch) <= budget


def test_longest_first() -> None:
    assert list(by_tokens([1, 9, 4, 4], 9)) == [[1], [2, 3], [0]]
