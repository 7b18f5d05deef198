"""The base model and what each trainer takes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipelines.core.params.section import Model, Name, Share


class Architecture(Model):
    """A Llama trained from scratch."""

    hidden_size: int
    intermediate_size: int
    layers: int
    heads: int
    kv_heads: int
    max_position: int = 512
    initializer_range: float = Field(0.02, gt=0)


class Base(Model):
    """The base model: weights from a hub or folder, or a tiny Llama from scratch."""

    corpus: Name
    uri: str | None = None
    revision: str | None = None
    license: str = "unknown"  # of the weights at uri: what is sampled or trained carries it on
    vocab_size: int = 768
    architecture: Architecture | None = None
    trust_remote_code: bool = False
    chat_template: Literal["prefloop", "llama3"] | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Base:
        if (self.uri is None) == (self.architecture is None):
            raise ValueError("give either base.uri or base.architecture, not both or neither")
        return self


class Train(Model):
    """What every trainer shares.

    After each save_steps the trainer writes a checkpoint to go on from after a kill.
    """

    epochs: float = Field(gt=0)
    learning_rate: float = Field(gt=0)
    global_batch: int = Field(gt=0)
    per_device_batch: int = Field(gt=0)
    warmup: Share = 0.03
    schedule: str = "cosine"
    weight_decay: float = 0.0
    max_length: int = Field(gt=0)
    bf16: bool = False
    gradient_checkpointing: bool = False
    save_steps: int = Field(100, gt=0)


class Sft(Train):
    """Supervised fine-tuning of the base model."""

    packing: bool = True
    completion_only: bool = True


class RewardModel(Train):
    """Bradley-Terry reward models, one per mix.

    With group_by_length batches hold pairs of like lengths; for many batches only.
    """

    use_margin: bool = False
    group_by_length: bool = False


class PreferenceModel(Train):
    """The pairwise preference model, trained as next-token prediction.

    Each training pair is shown in the order that a hash picks (the paper's way), or in both, so
    that position can tell nothing.
    """

    mix: Name
    packing: bool = True
    orders: Literal["hashed", "both"] = "hashed"


class Lora(Model):
    """Low-rank adapters in place of full training (arXiv 2106.09685).

    They are merged into the weights when training ends, so a checkpoint is a plain model whatever
    trained it. There is no dropout: DPO compares log-probabilities, and TRL switches dropout off.
    """

    rank: int = Field(16, gt=0)
    alpha: int = Field(32, gt=0)
    targets: Literal["all-linear"] | list[str] = "all-linear"


class Preference(Train):
    """What online and offline DPO share: the loss, adapters, processes."""

    beta: float = Field(0.1, gt=0)
    loss: list[Literal["sigmoid", "sigmoid_norm", "ipo", "hinge", "robust", "sft"]] = ["sigmoid"]
    loss_weights: list[Annotated[float, Field(gt=0)]] | None = None
    label_smoothing: float = Field(0.0, ge=0, lt=0.5)
    ld_alpha: Share | None = None
    lora: Lora | None = None
    launch: str | None = None

    @model_validator(mode="after")
    def _sound_loss(self) -> Preference:
        if not set(self.loss) - {"sft"} or len(set(self.loss)) < len(self.loss):
            raise ValueError("loss takes each name once, and one of them that compares the sides")
        if self.loss_weights is not None and len(self.loss_weights) != len(self.loss):
            raise ValueError(
                f"loss_weights has {len(self.loss_weights)} values for {len(self.loss)} losses"
            )
        if self.label_smoothing and "robust" not in self.loss:
            raise ValueError("label_smoothing is a part of the loss robust, which is not in loss")
        return self


class Dpo(Preference):
    """Online DPO: where it starts from and what its reference is."""

    start: Literal["previous", "sft"] = "previous"
    reference: Literal["sft", "previous"] = "sft"


class DpoOffline(Preference):
    """The offline baseline: DPO on a ranked set, rank 1 against a worse response."""

    source: Name
    pairs: int | None = Field(default=None, gt=0)
