"""Where a classifier's score stands: at the last token that is not the model's padding token.

That is what `AutoModelForSequenceClassification` does, whatever the batch. A model of others whose
padding token ends every response was so trained to be read before that end, and is read there.
"""

from __future__ import annotations

from collections.abc import Sequence


def up_to_score(items: Sequence[Sequence[int]], pad: int | None) -> list[Sequence[int]]:
    """The items without the padding tokens at their ends: each one's last token bears the score.

    Args:
        pad: the classifier's own `pad_token_id`; without one the last token of all counts.
    """
    return list(items) if pad is None else [_stripped(item, pad) for item in items]


def _stripped(item: Sequence[int], pad: int) -> Sequence[int]:
    end = len(item)
    while end > 1 and item[end - 1] == pad:
        end -= 1
    return item[:end]
