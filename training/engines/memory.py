"""What a causal model keeps between two tokens, whatever its architecture.

Attention keeps keys and values, recurrent layers a state; transformers' caches hold either, or both
(Jamba, Falcon-H1, Qwen3-Next). A row is picked out of any of them by `reorder_cache`, which every
layer of a cache has; `batch_select_indices` is missing in recurrent ones, and in hybrid ones it
forgets the state. A model that keeps something else (RWKV, RecurrentGemma), or whose cache does not
give what a pass over the whole row does, is run over the whole row for each token.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from curation.core.errors import UserError

_CACHES = ("past_key_values", "cache_params")
_PROBE = ((1, 2, 3), (1, 2, 4))  # two rows that differ in their last token alone
_ROWS = ((1, 2, 3, 4, 5, 6, 7), (7, 6, 5, 4, 3, 2, 1))


class Reading:
    """How a model is read token by token, found by asking it.

    Attributes:
        cache: the argument that takes its cache; None where it has none that we know.
        pads: whether prompts of different lengths can be run together, padded on the left. Not so
            where a recurrent state would take the padding in, nor without `position_ids`.

    Raises:
        UserError: what comes later changes what it predicts, so it is not a causal model.
    """

    def __init__(self, model: Any, name: str) -> None:
        import torch
        from transformers.cache_utils import Cache

        self.model = model
        self._takes = set(inspect.signature(model.forward).parameters)
        with torch.inference_mode():
            out = _first(model, torch.tensor(_PROBE, device=model.device))
        first, second = out.logits[:, -2].float()
        near = 1e-3 if model.dtype == torch.float32 else 2e-2
        if float((first - second).abs().max()) > near * float(first.abs().max()):
            raise UserError(
                f"{name}: {type(model).__name__} is not a causal model: a token changes what is "
                "predicted before it; name a causal language model"
            )
        found = {key: getattr(out, key, None) for key in _CACHES if key in self._takes}
        self.cache = next((key for key, kept in found.items() if isinstance(kept, Cache)), None)
        unsure = recurrent(found[self.cache] if self.cache else None)
        self.pads = not unsure and "position_ids" in self._takes
        if self.cache and unsure and not self._agrees():
            self.cache = None

    def start(self, prompts: Sequence[Sequence[int]], repeats: Sequence[int]) -> Memory:
        """The state after each prompt, as many times as it is to be answered."""
        if self.cache is None:
            return Whole(self, prompts, repeats)
        return Padded(self, prompts, repeats) if self.pads else Cached(self, prompts, repeats)

    def _agrees(self) -> bool:
        """Whether the cache gives what a pass over the whole rows does, rows dropped on the way.

        Some caches can't (MiniMax has rows that can't be picked), and some only nearly.
        """
        import torch

        with torch.inference_mode():
            whole = Whole(self, [(*_ROWS[0], 3, 6), (*_ROWS[1], 5, 7)], [1, 1]).logits
            try:
                memory = Cached(self, _ROWS, [2, 1])
                memory.step([3, 4, 5])
                memory.keep(torch.tensor([0, 2], device=whole.device))
                memory.step([6, 7])
            except (RuntimeError, TypeError, ValueError, AttributeError, IndexError):
                return False
        near = 2e-5 if self.model.dtype == torch.float32 else 5e-2
        gap = float((memory.logits.float() - whole.float()).abs().max())
        return gap <= near * max(1.0, float(whole.abs().max()))

    def positions(self, first: int, count: int) -> dict[str, Any]:
        """The argument that places tokens from `first` on, where the model takes one."""
        import torch

        if "position_ids" not in self._takes:
            return {}
        return {"position_ids": torch.arange(first, first + count, device=self.model.device)[None]}

    def last_alone(self) -> dict[str, int]:
        """The argument that asks for the last token's logits alone, where there is one."""
        return {"logits_to_keep": 1} if "logits_to_keep" in self._takes else {}


def recurrent(kept: Any) -> bool:
    """Whether a cache holds more than keys and values, or is of a kind that we don't know."""
    from transformers.cache_utils import DynamicCache, LinearAttentionCacheLayerMixin

    return type(kept) is not DynamicCache or any(
        isinstance(layer, LinearAttentionCacheLayerMixin) for layer in kept.layers
    )


def _first(model: Any, ids: Any) -> Any:
    """A pass with a cache, or without one where the architecture's own is at fault."""
    try:
        return model(input_ids=ids, use_cache=True)
    except (RuntimeError, TypeError, ValueError, AttributeError):
        return model(input_ids=ids, use_cache=False)


class Memory:
    """Rows of one length that grow by a token at a time.

    Attributes:
        logits: of the next token of every row, [rows, vocabulary].
    """

    logits: Any

    def __init__(
        self, reading: Reading, prompts: Sequence[Sequence[int]], repeats: Sequence[int]
    ) -> None:
        import torch

        self._reading, self._model = reading, reading.model
        places = torch.repeat_interleave(torch.arange(len(prompts)), torch.tensor(repeats))
        self._begin(prompts, places.to(self._model.device))

    def _begin(self, prompts: Sequence[Sequence[int]], places: Any) -> None:
        raise NotImplementedError

    def step(self, chosen: Any) -> None:
        """Take in one token per row."""
        raise NotImplementedError

    def keep(self, rows: Any) -> None:
        """Go on with these rows alone."""
        raise NotImplementedError

    def _column(self, chosen: Any) -> Any:
        import torch

        return torch.as_tensor(chosen, device=self._model.device).unsqueeze(1)


class Whole(Memory):
    """No cache: every step computes the rows from their first token."""

    def _begin(self, prompts: Sequence[Sequence[int]], places: Any) -> None:
        import torch

        self._ids = torch.tensor(prompts, device=self._model.device)
        self._compute()
        self._ids, self.logits = self._ids[places], self.logits[places]

    def step(self, chosen: Any) -> None:
        """Take in one token per row."""
        import torch

        self._ids = torch.cat([self._ids, self._column(chosen)], dim=1)
        self._compute()

    def keep(self, rows: Any) -> None:
        """Go on with these rows alone."""
        self._ids = self._ids[rows]

    def _compute(self) -> None:
        out = self._model(input_ids=self._ids, use_cache=False, **self._reading.last_alone())
        self.logits = out.logits[:, -1]


class Cached(Memory):
    """A cache over rows without padding: prompts of one length."""

    _past: Any = None

    def _begin(self, prompts: Sequence[Sequence[int]], places: Any) -> None:
        import torch

        self._length = len(prompts[0])
        ids = torch.tensor(prompts, device=self._model.device)
        more = self._reading.positions(0, self._length) | self._reading.last_alone()
        self._run(ids, **more)
        self._past.reorder_cache(places)
        self.logits = self.logits[places]

    def step(self, chosen: Any) -> None:
        """Take in one token per row."""
        self._run(self._column(chosen), **self._reading.positions(self._length, 1))
        self._length += 1

    def keep(self, rows: Any) -> None:
        """Go on with these rows alone."""
        self._past.reorder_cache(rows)

    def _run(self, ids: Any, **more: Any) -> None:
        assert self._reading.cache is not None
        past = {} if self._past is None else {self._reading.cache: self._past}
        out = self._model(input_ids=ids, use_cache=True, **past, **more)
        self.logits, self._past = out.logits[:, -1], getattr(out, self._reading.cache)


class Padded(Cached):
    """A cache over prompts of any lengths, padded on the left and masked."""

    def _begin(self, prompts: Sequence[Sequence[int]], places: Any) -> None:
        import torch

        width = max(len(prompt) for prompt in prompts)
        pads = [width - len(prompt) for prompt in prompts]
        ids = torch.tensor([[0] * pad + list(p) for pad, p in zip(pads, prompts, strict=True)])
        seen = torch.tensor([[0] * pad + [1] * (width - pad) for pad in pads])
        ids, seen = ids.to(self._model.device), seen.to(self._model.device)
        positions = (seen.cumsum(-1) - 1).clamp(min=0)
        self._run(ids, attention_mask=seen, position_ids=positions, **self._reading.last_alone())
        self._past.reorder_cache(places)
        self.logits = self.logits[places]
        self._seen, self._positions = seen[places], positions[places, -1]

    def step(self, chosen: Any) -> None:
        """Take in one token per row."""
        import torch

        ids = self._column(chosen)
        self._seen = torch.cat([self._seen, torch.ones_like(ids)], dim=1)
        self._positions = self._positions + 1
        self._run(ids, attention_mask=self._seen, position_ids=self._positions.unsqueeze(1))

    def keep(self, rows: Any) -> None:
        """Go on with these rows alone."""
        super().keep(rows)
        self._seen, self._positions = self._seen[rows], self._positions[rows]
