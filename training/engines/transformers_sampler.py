"""The embedded sampler: transformers with a KV cache and a seed of its own per response."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from training.core import checkpoint
from training.core.chat_template import ChatTemplate
from training.core.environment import device
from training.engines.batching import by_tokens
from training.engines.protocol import Request, Response
from training.engines.uniform import uniforms


class TransformersSampler:
    """Draws responses from a policy with transformers.

    Args:
        path: the policy's checkpoint.
        dtype: number type of the forward pass.
        batch_tokens: bound on rows x (prompt + new tokens) of one batch.
    """

    name = "transformers"

    def __init__(self, path: Path, dtype: str, batch_tokens: int) -> None:
        import transformers

        self.version = str(transformers.__version__)
        tokenizer = checkpoint.load_tokenizer(path)
        self.model = checkpoint.load_policy(path, dtype).to(device())
        self.context = int(self.model.config.max_position_embeddings)
        self._ends = {int(tokenizer.eos_token_id), ChatTemplate(tokenizer).end_id}
        self._batch_tokens = batch_tokens

    def sample(
        self, requests: Sequence[Request], max_new_tokens: int, stop: Sequence[int] = ()
    ) -> list[list[Response]]:
        """Responses per request, in the order of its draws; `stop` adds tokens that end one."""
        import torch

        ends = self._ends.union(stop)

        costs = [(len(r.prompt) + max_new_tokens) * len(r.draws) for r in requests]
        result: list[list[Response]] = [[] for _ in requests]
        with torch.inference_mode():
            for indices in by_tokens(costs, self._batch_tokens):
                batch = [requests[index] for index in indices]
                rows = iter(_Batch(self.model, batch, ends).run(max_new_tokens))
                for index in indices:
                    result[index] = [next(rows) for _ in requests[index].draws]
        return result

    def close(self) -> None:
        """Drop the model."""
        self.model = None


class _Batch:
    """The state of one batch while it is drawn; finished rows leave it."""

    def __init__(self, model: Any, requests: Sequence[Request], ends: set[int]) -> None:
        draws = [draw for request in requests for draw in request.draws]
        self.model = model
        self.ends = np.array(sorted(ends))
        self.repeats = [len(request.draws) for request in requests]
        self.prompts = [request.prompt for request in requests]
        self.seeds = np.array([draw.seed for draw in draws], dtype=np.uint64)
        self.temperatures = np.array([draw.temperature for draw in draws])
        self.tokens: list[list[int]] = [[] for _ in draws]
        self.done = np.zeros(len(draws), dtype=bool)
        self.active = np.arange(len(draws))  # the rows still in the cache, as row numbers

    def run(self, max_new_tokens: int) -> list[Response]:
        """Draw all rows to their end token or to the limit."""
        logits, past = self._prefill()
        for step in range(max_new_tokens):
            chosen = self._draw(logits, step)
            if self.done.all() or step + 1 == max_new_tokens:
                break
            kept = self._shrink(past)
            chosen = chosen if kept is None else chosen[kept]
            logits, past = self._forward(chosen, past)
        return [
            Response(tokens, "stop" if done else "length")
            for tokens, done in zip(self.tokens, self.done, strict=True)
        ]

    def _prefill(self) -> tuple[Any, Any]:
        """Run each prompt once, padded on the left; then repeat its cache per draw."""
        import torch

        width = max(len(prompt) for prompt in self.prompts)
        pads = [width - len(prompt) for prompt in self.prompts]
        ids = torch.tensor([[0] * pad + p for pad, p in zip(pads, self.prompts, strict=True)])
        attention = torch.tensor([[0] * pad + [1] * (width - pad) for pad in pads])
        ids, attention = ids.to(self.model.device), attention.to(self.model.device)
        places = (attention.cumsum(-1) - 1).clamp(min=0)
        out = self.model(
            input_ids=ids,
            attention_mask=attention,
            position_ids=places,
            use_cache=True,
            logits_to_keep=1,
        )
        index = torch.repeat_interleave(
            torch.arange(len(self.prompts)), torch.tensor(self.repeats)
        ).to(self.model.device)
        out.past_key_values.batch_select_indices(index)
        self.attention = attention[index]
        self.places = places[index, -1]
        return out.logits[index, -1], out.past_key_values

    def _forward(self, chosen: Any, past: Any) -> tuple[Any, Any]:
        import torch

        ids = torch.as_tensor(chosen, device=self.model.device).unsqueeze(1)
        self.attention = torch.cat([self.attention, torch.ones_like(ids)], dim=1)
        self.places = self.places + 1
        out = self.model(
            input_ids=ids,
            attention_mask=self.attention,
            position_ids=self.places.unsqueeze(1),
            past_key_values=past,
            use_cache=True,
        )
        return out.logits[:, -1], out.past_key_values

    def _draw(self, logits: Any, step: int) -> Any:
        """Inverse-CDF sampling in float64; records the tokens of rows that are not done."""
        import torch

        rows = self.active
        heat = torch.as_tensor(self.temperatures[rows], device=logits.device)
        cdf = torch.softmax(logits.double() / heat.unsqueeze(1), dim=-1).cumsum(-1)
        drawn = torch.as_tensor(uniforms(self.seeds[rows], step), device=logits.device)
        target = (drawn * cdf[:, -1]).unsqueeze(1)
        chosen = torch.searchsorted(cdf, target, right=True).squeeze(1)
        picked = chosen.clamp(max=cdf.shape[1] - 1).cpu().numpy()
        for row, token in zip(rows, picked, strict=True):
            if not self.done[row]:
                self.tokens[row].append(int(token))
        self.done[rows] |= np.isin(picked, self.ends)
        return picked

    def _shrink(self, past: Any) -> Any:
        """Drop finished rows from the cache once they are half of it; returns rows kept."""
        import torch

        kept = np.flatnonzero(~self.done[self.active])
        if 2 * len(kept) > len(self.active):
            return None
        index = torch.as_tensor(kept, device=self.model.device)
        past.batch_select_indices(index)
        self.attention, self.places = self.attention[index], self.places[index]
        self.active = self.active[kept]
        return kept
