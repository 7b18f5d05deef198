"""What a multi-head reward model reads: last-token features of its backbone, and its gate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation.core.errors import UserError
from training.core import checkpoint, reward_head, vocabulary
from training.core.chat_template import ChatTemplate, Messages
from training.core.environment import device
from training.core.sampled import TEXT, Sampled, token_ids
from training.core.statistics import Floats
from training.engines.batching import by_tokens

HEADS = "heads.safetensors"
HIDDEN = 64  # units of the gate


class Backbone:
    """Last-token features of a reward model's backbone."""

    def __init__(self, path: Path, batch_tokens: int) -> None:
        if reward_head.pooling(path) == "mean":
            raise UserError(
                f"{path}: is a mean over the response; a multi-head model reads the last token, "
                "so give one that was trained with reward_model.pooling: last"
            )
        tokenizer = checkpoint.load_tokenizer(path)
        self.template = ChatTemplate(tokenizer)
        self._model = checkpoint.load_classifier(path).base_model.to(device())
        self.context = vocabulary.context(path, tokenizer)
        self._batch_tokens = batch_tokens

    def of_prompts(self, prompts: Sequence[Messages]) -> Floats:
        """Features of each prompt's last token, (n, hidden)."""
        return self.of_ids(self.template.encode_many(prompts, True))

    def of_responses(
        self, items: Sequence[tuple[Messages, str]], sampled: Sequence[Sampled] | None = None
    ) -> Floats:
        """Features of each response's last token, (n, hidden)."""
        return self.of_ids(self.encode(items, sampled))

    def reads(
        self, items: Sequence[tuple[Messages, str]], sampled: Sequence[Sampled] | None = None
    ) -> list[bool]:
        """Whether each response lies, with its prompt, within the model's context."""
        return [len(ids) <= self.context for ids in self.encode(items, sampled)]

    def encode(
        self, items: Sequence[tuple[Messages, str]], sampled: Sequence[Sampled] | None = None
    ) -> list[list[int]]:
        """Token ids of each prompt with its response, as it was sampled where it was."""
        asked, texts = [prompt for prompt, _ in items], [response for _, response in items]
        prompts = self.template.encode_many(asked, True)
        answers = token_ids(self.template, asked, texts, sampled or [TEXT] * len(items))
        return [a + b for a, b in zip(prompts, answers, strict=True)]

    def of_ids(self, items: Sequence[list[int]]) -> Floats:
        """Features of the last token of each sequence, (n, hidden)."""
        import torch

        found = np.zeros((len(items), self._model.config.hidden_size))
        with torch.inference_mode():
            for batch in by_tokens([len(item) for item in items], self._batch_tokens):
                found[batch] = self._batch([items[index] for index in batch])
        return found

    def _batch(self, items: Sequence[list[int]]) -> NDArray[Any]:
        import torch

        width = max(len(item) for item in items)
        ids = torch.tensor([[*item, *[0] * (width - len(item))] for item in items])
        mask = torch.tensor([[1] * len(item) + [0] * (width - len(item)) for item in items])
        there = self._model.device
        hidden = self._model(
            input_ids=ids.to(there), attention_mask=mask.to(there), use_cache=False
        )
        last = mask.sum(-1) - 1
        rows: NDArray[Any] = hidden.last_hidden_state.float().cpu()[range(len(items)), last].numpy()
        return rows


def network(hidden: int, heads: int) -> Any:
    """The gate: features of a prompt to weights that sum to 1."""
    import torch

    first, second = torch.nn.Linear(hidden, HIDDEN), torch.nn.Linear(HIDDEN, heads)
    return torch.nn.Sequential(first, torch.nn.ReLU(), second, torch.nn.Softmax(-1))
