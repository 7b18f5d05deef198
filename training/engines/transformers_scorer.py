"""The embedded scorer: any AutoModelForSequenceClassification of one label."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.core import checkpoint
from training.core.environment import device
from training.core.settings import Pooling
from training.engines.passes import Passes


class TransformersScorer:
    """Scores sequences with a classifier, by passes as `training.engines.passes` makes them.

    Args:
        path: the classifier's checkpoint.
        dtype: number type of the forward pass.
        batch_tokens: bound on the tokens of one pass.
        pooling: whether the head reads the last token or the mean over the response.

    Raises:
        UserError: the model has not exactly one label.
    """

    name = "transformers"

    def __init__(
        self, path: Path, dtype: str, batch_tokens: int, pooling: Pooling = "last"
    ) -> None:
        self.model: Any = checkpoint.load_classifier(path, dtype).to(device())
        self.dtype = dtype
        self._passes = Passes(self.model, batch_tokens, pooling)
        self.shares = self._passes.shares

    def score(
        self, items: Sequence[Sequence[int]], prompts: Sequence[int] | None = None
    ) -> list[float]:
        """The raw score (no sigmoid) of each sequence, read where plain transformers reads it.

        Args:
            items: token ids.
            prompts: how many leading tokens of each item are its prompt, which is computed once
                for all items that have it; equal items are computed once in any case.
        """
        return self._passes.scores(items, prompts)

    def close(self) -> None:
        """Drop the model."""
        self.model = self._passes = None  # type: ignore[assignment]
