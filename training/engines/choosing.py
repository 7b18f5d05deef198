"""From logits to tokens: the recipe's sampling, as vLLM defines it, with a seed per row.

Penalty, temperature, min_p, top_k, top_p, in this order; transformers' own processors filter. In
float64, and with one uniform number per seed and step, so a row draws the same in any batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.engines.protocol import Draw, Sampling
from training.engines.uniform import uniforms

_GREEDY = 1e-5  # vLLM's bound: below it the likeliest token is taken
Filter = Callable[[Any, Any], Any]


class Chooser:
    """Chooses the next token of every row of a batch; rows leave it by `keep`.

    Args:
        draws: seed and temperature of each row.
        prompts: each row's prompt; only a repetition penalty reads it.
        unknown: ids that are never drawn.
    """

    def __init__(
        self,
        draws: Sequence[Draw],
        prompts: Sequence[Sequence[int]],
        sampling: Sampling,
        unknown: Any,
    ) -> None:
        self._seeds: NDArray[np.uint64] = np.array([draw.seed for draw in draws], dtype=np.uint64)
        self._heats = np.array([draw.temperature for draw in draws])
        self._unknown = unknown
        self._penalty, self._filters = _processors(sampling)
        self._seen = _rectangle(prompts) if self._penalty else None

    def choose(self, logits: Any, step: int) -> NDArray[np.int64]:
        """One token per row, by the inverse of the cumulative distribution.

        Args:
            logits: of the next token, [rows, vocabulary].
            step: how many tokens were drawn before.
        """
        import torch

        scores = self._allowed(logits)
        cold = self._heats < _GREEDY
        drawn: NDArray[np.int64] = np.zeros(len(cold), dtype=np.int64)
        if not cold.all():
            drawn = self._draw(scores, step)
        if cold.any():
            drawn = np.where(cold, scores.argmax(-1).cpu().numpy(), drawn)
        if self._seen is not None:
            self._seen = torch.cat([self._seen, torch.as_tensor(drawn).unsqueeze(1)], dim=1)
        return drawn

    def probabilities(self, logits: Any) -> Any:
        """What the next token is drawn from where it is not the likeliest one, as `logits`."""
        return self._warmed(self._allowed(logits))

    def _allowed(self, logits: Any) -> Any:
        """Logits without what is never drawn, penalised."""
        import torch

        scores = logits.double()
        if len(self._unknown):
            scores.index_fill_(1, self._unknown.to(scores.device), -torch.inf)
        if self._penalty:
            scores = self._penalty(self._seen.to(scores.device), scores)  # type: ignore[union-attr]
        return scores

    def _warmed(self, scores: Any) -> Any:
        import torch

        heats = np.where(self._heats < _GREEDY, 1.0, self._heats)
        scores = scores / torch.as_tensor(heats, device=scores.device).unsqueeze(1)
        for one in self._filters:
            scores = one(None, scores)
        return torch.softmax(scores, dim=-1)

    def _draw(self, scores: Any, step: int) -> NDArray[np.int64]:
        import torch

        cdf = self._warmed(scores).cumsum(-1)
        at = torch.as_tensor(uniforms(self._seeds, step), device=cdf.device)
        target = (at * cdf[:, -1]).unsqueeze(1)
        chosen = torch.searchsorted(cdf, target, right=True).squeeze(1)
        if bool((chosen == cdf.shape[1]).any()):  # rounded up to the whole: the last that has some
            chosen = torch.minimum(chosen, (cdf < cdf[:, -1:]).sum(-1))
        picked: NDArray[np.int64] = chosen.cpu().numpy()
        return picked

    def keep(self, rows: NDArray[np.int64]) -> None:
        """Go on with these rows alone."""
        self._seeds, self._heats = self._seeds[rows], self._heats[rows]
        if self._seen is not None:
            self._seen = self._seen[rows]


def _processors(sampling: Sampling) -> tuple[Filter | None, list[Filter]]:
    """The penalty, where there is one, and the filters that do something, in vLLM's order."""
    from transformers.generation import logits_process as library

    penalty = None
    if sampling.repetition_penalty != 1.0:
        penalty = library.RepetitionPenaltyLogitsProcessor(sampling.repetition_penalty)
    filters: list[Filter] = []
    if sampling.min_p > 0:
        filters.append(library.MinPLogitsWarper(sampling.min_p))
    if sampling.top_k > 0:
        filters.append(library.TopKLogitsWarper(sampling.top_k))
    if sampling.top_p < 1:
        filters.append(library.TopPLogitsWarper(sampling.top_p))
    return penalty, filters


def _rectangle(prompts: Sequence[Sequence[int]]) -> Any:
    """Prompts as rows of one width; a row is filled up with a token that it has anyhow."""
    import torch

    width = max(len(prompt) for prompt in prompts)
    return torch.tensor([[prompt[0]] * (width - len(prompt)) + list(prompt) for prompt in prompts])
