"""Scoring with a multi-head reward model, and telling which attributes made the score."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from curation.core.errors import UserError
from training.core import checkpoint
from training.core.sampled import TEXT, Sampled
from training.core.statistics import Floats
from training.judges.features import HEADS, Backbone, network
from training.judges.reward_model import Item, Verdict, finite, readable, too_long


class MultiHeadJudge:
    """Rewards (prompt, response): the gate's weights times the heads' ratings.

    Raises:
        UserError: the checkpoint is no multi-head reward model.
    """

    dtype = "float32"

    def __init__(self, path: Path, batch_tokens: int) -> None:
        from safetensors.numpy import load_file

        self.card = checkpoint.card(path)
        if self.card.get("kind") != "multi_head":
            raise UserError(f"{path}: is no multi_head checkpoint; make one with multi-head")
        self.name = str(self.card["name"])
        self.sha = checkpoint.weights_sha(path)
        self.attributes: list[str] = self.card["attributes"]
        self._backbone = Backbone(path, batch_tokens)
        self.template = self._backbone.template
        self._tensors = load_file(path / HEADS)

    def judge(
        self, items: Sequence[Item], sampled: Sequence[Sampled] | None = None
    ) -> list[Verdict]:
        """One verdict per (prompt messages, response); null past the backbone's context.

        Where it reads through the policy's own tokenizer and template, it reads what was sampled.
        """
        return readable(self.template, items, sampled or [TEXT] * len(items), self._verdicts)

    def _verdicts(self, items: Sequence[Item], sampled: Sequence[Sampled]) -> list[Verdict]:
        context = self._backbone.context
        ids = self._backbone.encode(items, sampled)
        sizes = [len(own) for own in ids]
        fit = [place for place, size in enumerate(sizes) if size <= context]
        features = self._backbone.of_ids([ids[place] for place in fit])
        gates = self.gates([items[place] for place in fit])
        rewards = (gates * self._rated(features) / self._tensors["unit"]).sum(-1)
        found = iter((rewards * float(self._tensors["scale"])).tolist())
        return [finite(next(found)) if n <= context else too_long(n, context) for n in sizes]

    def ratings(self, items: Sequence[Item]) -> Floats:
        """Predicted ratings by attribute, about [0, 1]: (n, heads)."""
        return self._rated(self._backbone.of_responses(items))

    def _rated(self, features: Floats) -> Floats:
        found: Floats = features @ self._tensors["heads.weight"].T + self._tensors["heads.bias"]
        return found

    def gates(self, items: Sequence[Item]) -> Floats:
        """The gate's weights by attribute; each row sums to 1 and depends on the prompt alone."""
        import torch

        part = self._tensors
        prompts = self._backbone.of_prompts([prompt for prompt, _ in items])
        x = torch.tensor((prompts - part["mean"]) / part["spread"], dtype=torch.float32)
        network = self._network(x.shape[1])
        with torch.inference_mode():
            return np.asarray(network(x).double())

    def _network(self, hidden: int) -> Any:
        import torch

        gate = network(hidden, len(self.attributes))
        state = {
            key.removeprefix("gate."): torch.tensor(value)
            for key, value in self._tensors.items()
            if key.startswith("gate.")
        }
        gate.load_state_dict(state)
        return gate.eval()
