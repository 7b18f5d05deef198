"""What a trainer needs to know, as plain values: the stages fill these in from params.yaml."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Pooling = Literal["last", "mean"]


@dataclass(frozen=True)
class Train:
    """Settings that every trainer shares; `save_steps` lie between the trainer's checkpoints."""

    epochs: float
    learning_rate: float
    global_batch: int
    per_device_batch: int
    max_length: int
    seed: int
    warmup: float = 0.03
    schedule: str = "cosine"
    weight_decay: float = 0.0
    bf16: bool = False
    gradient_checkpointing: bool = False
    save_steps: int = 100

    @property
    def batch_tokens(self) -> int:
        """Tokens of one full training batch: what is known to fit in memory."""
        return self.per_device_batch * self.max_length


@dataclass(frozen=True)
class Lora:
    """Settings of low-rank adapters."""

    rank: int = 16
    alpha: int = 32
    targets: str | list[str] = "all-linear"


@dataclass(frozen=True)
class Sft(Train):
    """Settings of next-token training."""

    packing: bool = True
    completion_only: bool = True
    lora: Lora | None = None


@dataclass(frozen=True)
class RewardModel(Train):
    """Settings of Bradley-Terry training.

    Attributes:
        group_by_length: Batches of like lengths, so that less is padding. The sampler sorts runs of
            50 batches by length: too few pairs to fill several runs are then learnt badly.
        pooling: The head reads the last token, or the mean over the response's tokens.
        layer: The hidden layer that is read, under the final norm; None: the last.
        train: Every weight, the head and the `top_k` uppermost layers, or the head alone.
        l2: Pull of the weights of `train: head` to zero; None: chosen by cross-validation.
    """

    use_margin: bool = False
    group_by_length: bool = False
    pooling: Pooling = "last"
    layer: int | None = None
    train: Literal["all", "top_k", "head"] = "all"
    top_k: int | None = None
    l2: float | None = None
    lora: Lora | None = None


@dataclass(frozen=True)
class Dpo(Train):
    """Settings of DPO."""

    beta: float = 0.1
    loss: list[str] = field(default_factory=lambda: ["sigmoid"])
    loss_weights: list[float] | None = None
    label_smoothing: float = 0.0
    ld_alpha: float | None = None
    lora: Lora | None = None


@dataclass(frozen=True)
class Architecture:
    """A Llama trained from scratch."""

    hidden_size: int
    intermediate_size: int
    layers: int
    heads: int
    kv_heads: int
    max_position: int = 512
    initializer_range: float = 0.02
