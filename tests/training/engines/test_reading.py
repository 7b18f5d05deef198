"""Where a score stands: padding tokens at the end of an item are not part of it."""

from __future__ import annotations

import pytest

from training.engines.reading import up_to_score


@pytest.mark.parametrize(
    ("pad", "read"),
    [
        (None, [[5, 2], [2, 5, 2, 2], [2, 2]]),
        (7, [[5, 2], [2, 5, 2, 2], [2, 2]]),
        (2, [[5], [2, 5], [2]]),  # never all of it
    ],
)
def test_the_last_token_is_the_last_that_is_not_padding(
    pad: int | None, read: list[list[int]]
) -> None:
    assert up_to_score([[5, 2], [2, 5, 2, 2], [2, 2]], pad) == read
