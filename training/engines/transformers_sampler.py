"""The embedded sampler: any causal model of transformers, with a seed of its own per response."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from training.core import checkpoint, vocabulary
from training.core.chat_template import ChatTemplate
from training.core.environment import device
from training.core.vocabulary import Vocabulary
from training.engines import finishing
from training.engines.batching import by_tokens
from training.engines.choosing import Chooser
from training.engines.memory import Reading
from training.engines.protocol import PLAIN, Request, Response, Rules, Sampling


class TransformersSampler:
    """Draws responses from a policy with transformers.

    Args:
        path: the policy's checkpoint.
        dtype: number type of the forward pass.
        batch_tokens: bound on rows x (prompt + new tokens) of one batch.

    Raises:
        UserError: it is not a causal model.
    """

    name = "transformers"

    def __init__(self, path: Path, dtype: str, batch_tokens: int) -> None:
        import transformers

        self.version = str(transformers.__version__)
        tokenizer = checkpoint.load_tokenizer(path)
        self.model: Any = checkpoint.load_policy(path, dtype).to(device())
        self.context = vocabulary.context(path, tokenizer)
        self.vocabulary = vocabulary.of(path, tokenizer, ChatTemplate(tokenizer))
        self._reading = Reading(self.model, str(path))
        self._batch_tokens = batch_tokens

    def sample(
        self,
        requests: Sequence[Request],
        max_new_tokens: int,
        stop: Sequence[int] = (),
        sampling: Sampling = PLAIN,
    ) -> list[list[Response]]:
        """Responses per request, in the order of its draws; `stop` adds tokens that end one."""
        import torch

        rules = Rules(max_new_tokens, stop, sampling)
        result: list[list[Response]] = [[] for _ in requests]
        with torch.inference_mode():
            for indices in self._batches(requests, max_new_tokens):
                batch = [requests[index] for index in indices]
                rows = iter(_Batch(self._reading, self.vocabulary, batch, rules).run())
                for index in indices:
                    result[index] = [next(rows) for _ in requests[index].draws]
        return result

    def _batches(self, requests: Sequence[Request], new: int) -> Iterator[list[int]]:
        """What is drawn together: any prompts, or those of one length where padding is unsound."""
        apart: dict[int, list[int]] = {}
        for index, request in enumerate(requests):
            apart.setdefault(0 if self._reading.pads else len(request.prompt), []).append(index)
        for places in apart.values():
            costs = [(len(requests[k].prompt) + new) * len(requests[k].draws) for k in places]
            for batch in by_tokens(costs, self._batch_tokens):
                yield [places[k] for k in batch]

    def close(self) -> None:
        """Drop the model."""
        self.model = self._reading = None  # type: ignore[assignment]


class _Batch:
    """The state of one batch while it is drawn; finished rows leave it."""

    def __init__(
        self, reading: Reading, known: Vocabulary, requests: Sequence[Request], rules: Rules
    ) -> None:
        import torch

        draws = [draw for request in requests for draw in request.draws]
        prompts = [request.prompt for request in requests for _ in request.draws]
        self.rules, self.vocabulary = rules, known
        self.ends = np.array(sorted(known.ends.union(rules.stop)))
        repeats = [len(request.draws) for request in requests]
        self.memory = reading.start([request.prompt for request in requests], repeats)
        unknown = torch.tensor(known.unknown, dtype=torch.long)
        self.chooser = Chooser(draws, prompts, rules.sampling, unknown)
        self.tokens: list[list[int]] = [[] for _ in draws]
        self.done = np.zeros(len(draws), dtype=bool)
        self.active = np.arange(len(draws))  # the rows still in memory, as row numbers

    def run(self) -> list[Response]:
        """Draw all rows to their end token or to the limit."""
        for step in range(self.rules.max_new_tokens):
            chosen = self.chooser.choose(self.memory.logits, step)
            self._record(chosen)
            if self.done.all() or step + 1 == self.rules.max_new_tokens:
                break
            self.memory.step(self._shrink(chosen))
        return [
            finishing.response(tokens, "stop" if done else "length", self.vocabulary, self.rules)
            for tokens, done in zip(self.tokens, self.done, strict=True)
        ]

    def _record(self, chosen: Any) -> None:
        """Append the tokens of rows that are not done."""
        for row, token in zip(self.active, chosen, strict=True):
            if not self.done[row]:
                self.tokens[row].append(int(token))
        self.done[self.active] |= np.isin(chosen, self.ends)

    def _shrink(self, chosen: Any) -> Any:
        """Drop finished rows once they are half of those in memory; the chosen of the rest."""
        import torch

        kept = np.flatnonzero(~self.done[self.active])
        if 2 * len(kept) > len(self.active):
            return chosen
        self.memory.keep(torch.as_tensor(kept, device=self.memory.logits.device))
        self.chooser.keep(kept)
        self.active = self.active[kept]
        return chosen[kept]
