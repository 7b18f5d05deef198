"""The embedded scorer: a one-label classifier in length-sorted token-budget batches."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training import checkpoint
from training.engines.batching import by_tokens
from training.environment import device
from training.errors import UserError


class TransformersScorer:
    """Scores sequences with any AutoModelForSequenceClassification of one label.

    Raises:
        UserError: the model has not exactly one label.
    """

    name = "transformers"

    def __init__(self, path: Path, dtype: str, batch_tokens: int) -> None:
        self.model = checkpoint.load_classifier(path, dtype).to(device())
        if self.model.config.num_labels != 1:
            raise UserError(
                f"{path}: has {self.model.config.num_labels} labels; a reward model has one"
            )
        self.dtype = dtype
        self._batch_tokens = batch_tokens

    def score(self, items: Sequence[Sequence[int]]) -> list[float]:
        """The raw score (no sigmoid) of each sequence, read at its last token."""
        import torch

        result = [0.0] * len(items)
        with torch.inference_mode():
            for indices in by_tokens([len(item) for item in items], self._batch_tokens):
                scores = _batch(self.model, [items[index] for index in indices])
                for index, score in zip(indices, scores, strict=True):
                    result[index] = score
        return result


def _batch(model: Any, items: Sequence[Sequence[int]]) -> list[float]:
    import torch

    width = max(len(item) for item in items)
    # The model reads the score at the last token that is not padding. With pad equal to the end
    # token it would read one token too early (lessons 11), so pad with a token that none ends with.
    pad = _unused({item[-1] for item in items})
    model.config.pad_token_id = pad
    ids = torch.tensor([[*item, *[pad] * (width - len(item))] for item in items])
    attention = torch.tensor([[1] * len(item) + [0] * (width - len(item)) for item in items])
    logits = model(
        input_ids=ids.to(model.device), attention_mask=attention.to(model.device), use_cache=False
    ).logits
    return [float(value) for value in logits[:, 0].float().cpu()]


def _unused(taken: set[int]) -> int:
    return next(token for token in range(len(taken) + 1) if token not in taken)
