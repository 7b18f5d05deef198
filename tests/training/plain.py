"""A Llama in float64, one sequence at a time, written out from the paper: no model library.

It is what the numbers of the trainers, the reference stage and the judges are checked against.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Llama:
    """Weights by name and the shape of the model."""

    weights: dict[str, Floats]
    layers: int
    heads: int
    kv_heads: int
    theta: float
    eps: float

    @classmethod
    def load(cls, path: Path) -> Llama:
        """Read a checkpoint."""
        told = json.loads((path / "config.json").read_text())
        weights = load_file(path / "model.safetensors")
        return cls(
            {name.removeprefix("model."): w.astype(np.float64) for name, w in weights.items()},
            told["num_hidden_layers"],
            told["num_attention_heads"],
            told["num_key_value_heads"],
            told["rope_parameters"]["rope_theta"],
            told["rms_norm_eps"],
        )

    def states(self, ids: list[int]) -> Floats:
        """The last layer's states, normed: tokens x hidden size."""
        x = self.weights["embed_tokens.weight"][ids]
        for layer in range(self.layers):
            w = {
                name.removeprefix(f"layers.{layer}."): weight
                for name, weight in self.weights.items()
                if name.startswith(f"layers.{layer}.")
            }
            x = x + self._attention(self._norm(x, w["input_layernorm.weight"]), w)
            y = self._norm(x, w["post_attention_layernorm.weight"])
            gate = y @ w["mlp.gate_proj.weight"].T
            up = y @ w["mlp.up_proj.weight"].T
            x = x + (gate / (1 + np.exp(-gate)) * up) @ w["mlp.down_proj.weight"].T
        return self._norm(x, self.weights["norm.weight"])

    def logprobs(self, prompt: list[int], completion: list[int]) -> Floats:
        """log pi(token | before) of each token of the completion."""
        ids = prompt + completion
        logits = self.states(ids)[len(prompt) - 1 : -1] @ self.weights["embed_tokens.weight"].T
        top = logits.max(axis=1, keepdims=True)
        logps = logits - top - np.log(np.exp(logits - top).sum(axis=1, keepdims=True))
        return logps[np.arange(len(completion)), completion]

    def reward(self, ids: list[int]) -> float:
        """The raw score of a one-label classifier, at the last token."""
        return float(self.states(ids)[-1] @ self.weights["score.weight"][0])

    def _norm(self, x: Floats, weight: Floats) -> Floats:
        return x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + self.eps) * weight

    def _attention(self, x: Floats, w: dict[str, Floats]) -> Floats:
        length, size = len(x), w["self_attn.q_proj.weight"].shape[0] // self.heads
        q = self._turned((x @ w["self_attn.q_proj.weight"].T).reshape(length, self.heads, size))
        k = self._turned((x @ w["self_attn.k_proj.weight"].T).reshape(length, -1, size))
        v = (x @ w["self_attn.v_proj.weight"].T).reshape(length, -1, size)
        k, v = (np.repeat(y, self.heads // self.kv_heads, axis=1) for y in (k, v))
        scores = np.einsum("qhd,khd->hqk", q, k) / np.sqrt(size)
        scores[:, np.triu(np.ones((length, length), bool), 1)] = -np.inf
        share = np.exp(scores - scores.max(axis=-1, keepdims=True))
        share /= share.sum(axis=-1, keepdims=True)
        mixed = np.einsum("hqk,khd->qhd", share, v).reshape(length, -1)
        return mixed @ w["self_attn.o_proj.weight"].T

    def _turned(self, x: Floats) -> Floats:
        """Rotary positions, halves rotated as the Hugging Face weights have them."""
        half = x.shape[-1] // 2
        angle = np.arange(len(x))[:, None] / self.theta ** (np.arange(half) / half)
        cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
        a, b = x[..., :half], x[..., half:]
        return np.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)
