"""Asking a preference model which of two responses is better: the question and the answer.

The prompt is the paper's (section 2.2): [CONTEXT] {x} [RESPONSE A] {a1} [RESPONSE B] {a2}.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from curation.core.errors import UserError
from training.core import checkpoint, vocabulary
from training.core.chat_template import ChatTemplate, Messages
from training.core.environment import device
from training.engines.batching import by_tokens

MARKERS = ("[CONTEXT]", "[RESPONSE A]", "[RESPONSE B]")

Question = tuple[Messages, str, str]


def question(prompt: Messages, first: str, second: str) -> list[dict[str, str]]:
    """The instruction that asks which response is better; the roles of a dialogue are named."""
    turns = [
        message["content"] if len(prompt) == 1 else f"{message['role']}: {message['content']}"
        for message in prompt
    ]
    context = "\n".join(turns)
    text = f"{MARKERS[0]} {context} {MARKERS[1]} {first} {MARKERS[2]} {second}"
    return [{"role": "user", "content": text}]


class PreferenceModel:
    """Asks the model which of two responses is better."""

    def __init__(self, path: Path, batch_tokens: int, dtype: str = "float32") -> None:
        tokenizer = checkpoint.load_tokenizer(path)
        self.template = ChatTemplate(tokenizer)
        self._model = checkpoint.load_policy(path, dtype).to(device())
        self._batch_tokens = batch_tokens
        self.context = vocabulary.context(path, tokenizer)
        self._labels = [ids[0] for ids in self.template.completions(["A", "B"])]
        if self._labels[0] == self._labels[1]:
            raise UserError(f"{path}: its tokenizer gives A and B the same first token")

    def first_wins(self, questions: Sequence[Question]) -> NDArray[np.float64]:
        """P(first better) of each (prompt, first, second) as asked, in this order alone.

        NaN for a question that goes past the model's context, or whose texts spell a marker of
        turns of its template.
        """
        import torch

        asked = [question(*one) for one in questions]
        clear = [self.template.marker_in(one[0]["content"]) is None for one in asked]
        asked = [one for one, fine in zip(asked, clear, strict=True) if fine]
        read = iter(self.template.encode_many(asked, add_generation_prompt=True))
        ids = [next(read) if fine else [] for fine in clear]
        result = np.full(len(ids), np.nan)
        fit = np.flatnonzero([0 < len(item) <= self.context for item in ids])
        with torch.inference_mode():
            for batch in by_tokens([len(ids[index]) for index in fit], self._batch_tokens):
                places = fit[batch]
                result[places] = self._batch([ids[index] for index in places])
        return result

    def _batch(self, items: Sequence[list[int]]) -> NDArray[np.float64]:
        import torch

        width = max(len(item) for item in items)
        ids = torch.tensor([[0] * (width - len(item)) + item for item in items])
        attention = torch.tensor([[0] * (width - len(x)) + [1] * len(x) for x in items])
        logits = self._model(
            input_ids=ids.to(self._model.device),
            attention_mask=attention.to(self._model.device),
            position_ids=(attention.cumsum(-1) - 1).clamp(min=0).to(self._model.device),
            logits_to_keep=1,
            use_cache=False,
        ).logits[:, -1, self._labels]
        return np.asarray(torch.softmax(logits.double(), dim=-1)[:, 0].cpu())

    def prefers_first(self, questions: Sequence[Question]) -> NDArray[np.float64]:
        """P(first better) with both orders averaged, so that position has no say."""
        straight = self.first_wins(questions)
        swapped = self.first_wins([(prompt, b, a) for prompt, a, b in questions])
        return (straight + 1.0 - swapped) / 2.0
