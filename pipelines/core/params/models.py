"""The base model and what each trainer takes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipelines.core.params.model_uri import ModelUri
from pipelines.core.params.section import NO_SET, Count, Model, Name, Share, knob

OWN_TOKENS = 262  # every byte and the six control tokens of a tokenizer from scratch


class Architecture(Model):
    """A Llama trained from scratch."""

    hidden_size: int = knob("Width of the residual stream.", ge=1, le=65_536)
    intermediate_size: int = knob("Width inside an MLP.", ge=1, le=1_048_576)
    layers: int = knob("Number of layers.", ge=1, le=1000)
    heads: int = knob("Attention heads of a layer.", ge=1, le=1024)
    kv_heads: int = knob("Heads of keys and values; heads is a multiple of it.", ge=1, le=1024)
    max_position: int = knob("Longest sequence.", 512, unit="tokens", ge=1, le=10_000_000)
    initializer_range: float = knob("Standard deviation of the first weights.", 0.02, gt=0, le=10)

    @model_validator(mode="after")
    def _divides(self) -> Architecture:
        if self.hidden_size % (2 * self.heads):
            raise ValueError("hidden_size: its share of each head must be an even whole number")
        if self.heads % self.kv_heads:
            raise ValueError("kv_heads: heads is not a multiple of it")
        return self


class Base(Model):
    """The base model: weights from a hub or folder, or a tiny Llama from scratch."""

    corpus: Name = knob(
        "The SFT set that a tokenizer from scratch is trained on; none: with uri.", NO_SET
    )
    uri: ModelUri | None = knob(
        "Weights: hf://OWNER/NAME, pip:PACKAGE==VERSION/FILE, a folder or a .gguf file.", None
    )
    revision: str | None = knob("Commit, tag or branch of hf:// weights.", None, min_length=1)
    license: str = knob(
        "Licence of the weights; what is sampled or trained carries it on.", "unknown"
    )
    vocab_size: int = knob(
        "Tokens of a tokenizer from scratch.", 768, unit="tokens", ge=OWN_TOKENS, le=1_000_000
    )
    architecture: Architecture | None = knob("Shape of a model from scratch; null with uri.", None)
    trust_remote_code: bool = knob("Whether code that comes with the weights may run.", False)
    chat_template: Literal["prefloop", "llama3", "gemma", "from_model"] | None = knob(
        "Template of the conversations, which uri needs; from_model: the one the model carries.",
        None,
    )
    system: Literal["native", "fold"] = knob(
        "System messages: the template's own way, or in front of the first user's.", "native"
    )
    date: str = knob(
        "Day that a template which prints today's date prints instead.",
        "2024-07-26",
        pattern=r"^\d{4}-\d{2}-\d{2}$",
    )

    @model_validator(mode="after")
    def _one_origin(self) -> Base:
        if (self.uri is None) == (self.architecture is None):
            raise ValueError("uri: give either base.uri or base.architecture, not both or neither")
        if self.uri is None and self.corpus == NO_SET:
            raise ValueError("corpus: missing; name the SFT set that the tokenizer is trained on")
        if self.uri is not None and self.chat_template is None:
            raise ValueError(
                "chat_template: missing; a base model often publishes none, so say "
                "from_model, or which one to give it: prefloop, llama3 or gemma"
            )
        if self.revision is not None and (self.uri or "").startswith("pip:"):
            raise ValueError("revision: is for hf://; a wheel's version stands in its uri")
        if self.uri is None and self.chat_template not in (None, "prefloop"):
            raise ValueError("chat_template: a model from scratch has the template prefloop")
        return self


class Published(Model):
    """A model that others made; it is fetched into data/checkpoints/models/NAME."""

    uri: ModelUri = knob("Where it is: hf://OWNER/NAME, or pip:PACKAGE==VERSION/FOLDER_OR_ZIP.")
    revision: str | None = knob("Commit, tag or branch of hf://.", None, min_length=1)

    @model_validator(mode="after")
    def _fetched(self) -> Published:
        if not self.uri.startswith(("hf://", "pip:")):
            raise ValueError("uri: a folder needs no fetching; name it where it is used")
        if self.uri.endswith(".gguf"):
            raise ValueError("uri: a GGUF file holds no judge; name a repository or a folder")
        if self.revision is not None and not self.uri.startswith("hf://"):
            raise ValueError("revision: is for hf://; a wheel's version stands in its uri")
        return self


class Train(Model):
    """What every trainer shares."""

    epochs: float = knob(
        "Passes over the rows; a part of one is allowed.", unit="epochs", gt=0, le=10_000
    )
    learning_rate: float = knob("The rate at its peak.", gt=0, le=1)
    global_batch: int = knob(
        "Rows of one step, over all processes.", unit="rows", gt=0, le=10_000_000
    )
    per_device_batch: int = knob(
        "Rows that a device holds at once.", unit="rows", gt=0, le=1_000_000
    )
    warmup: Share = knob("Share of the steps over which the rate rises.", 0.03)
    schedule: Literal[
        "cosine",
        "linear",
        "constant",
        "constant_with_warmup",
        "cosine_with_restarts",
        "polynomial",
        "inverse_sqrt",
    ] = knob("How the rate falls after warm-up.", "cosine")
    weight_decay: float = knob("AdamW's decay of the weights.", 0.0, ge=0, le=10)
    max_length: int = knob("Longest row; the rest is cut.", unit="tokens", gt=0, le=10_000_000)
    bf16: bool = knob("Whether it computes in bfloat16 (on a GPU).", False)
    gradient_checkpointing: bool = knob(
        "Whether activations are computed twice to save memory.", False
    )
    save_steps: int = knob(
        "A checkpoint to go on from after a kill is written this often.",
        100,
        unit="steps",
        gt=0,
        le=100_000_000,
    )
    launch: str | None = knob(
        "An accelerate config for several processes, as in recipes/accelerate; null: one.",
        None,
        min_length=1,
    )


class Lora(Model):
    """Low-rank adapters in place of full training (arXiv 2106.09685).

    They are merged into the weights when training ends, so a checkpoint is a plain model whatever
    trained it. There is no dropout: DPO compares log-probabilities, and TRL switches dropout off.
    """

    rank: int = knob("Rank of the adapters.", 16, gt=0, le=65_536)
    alpha: int = knob("Their scale is alpha / rank.", 32, gt=0, le=1_000_000)
    targets: Literal["all-linear"] | list[str] = knob(
        "Names of the modules that get one, or all-linear.", "all-linear"
    )


class Sft(Train):
    """Supervised fine-tuning of the base model."""

    packing: bool = knob("Whether rows share sequences of max_length.", True)
    completion_only: bool = knob("Whether the loss leaves the prompts' tokens out.", True)
    lora: Lora | None = knob("Low-rank adapters in place of full training; null: none.", None)


class RewardModel(Train):
    """Bradley-Terry reward models, one per mix.

    A few hundred pairs are few for all weights of a real model: train head solves the head on
    features of the frozen model, at a layer past the middle (docs/tasks/few-rows.md).
    """

    use_margin: bool = knob("Whether the loss asks for the margin of the scores.", False)
    group_by_length: bool = knob(
        "Whether batches hold pairs of like lengths; for many batches only.", False
    )
    pooling: Literal["last", "mean"] = knob(
        "What the head reads: the last token, or the mean over the response's tokens.", "last"
    )
    layer: int | None = knob(
        "The hidden layer that is read; those above it are dropped. null: the last.",
        None,
        ge=1,
        le=1000,
    )
    train: Literal["all", "top_k", "head"] = knob(
        "What learns: all weights, the head with the top_k uppermost layers, or the head alone, "
        "solved on cached features (epochs, rate and batches are then not asked).",
        "all",
    )
    top_k: int | None = knob(
        "Layers that train top_k lets learn.", None, unit="layers", ge=1, le=1000
    )
    l2: float | None = knob(
        "Pull of the head's weights to zero, for train head; null: by cross-validation.",
        None,
        gt=0,
        le=1e6,
    )
    lora: Lora | None = knob("Low-rank adapters in place of full training; null: none.", None)

    @model_validator(mode="after")
    def _sound_parts(self) -> RewardModel:
        if (self.train == "top_k") != (self.top_k is not None):
            raise ValueError("top_k: goes with train: top_k, and is needed there")
        if self.train != "head" and self.l2 is not None:
            raise ValueError("l2: goes with train: head alone; weight_decay is the others'")
        if self.train != "all" and self.lora is not None:
            raise ValueError(f"lora: adapters go with train: all, not with {self.train}")
        if self.layer is not None and (self.top_k or 0) > self.layer:
            raise ValueError(f"top_k: {self.top_k} layers train, but layer keeps {self.layer}")
        return self


class PreferenceModel(Train):
    """The pairwise preference model, trained as next-token prediction of the label."""

    mix: Name = knob("The mix that it learns from.")
    packing: bool = knob("Whether rows share sequences of max_length.", True)
    orders: Literal["hashed", "both"] = knob(
        "Whether a pair is shown in one order, by hash (the paper's way), or in both.", "hashed"
    )


class Preference(Train):
    """What online and offline DPO share: the loss and adapters."""

    beta: float = knob(
        "Strength of the pull to the reference (the paper's eta).", 0.1, gt=0, le=1000
    )
    loss: list[Literal["sigmoid", "sigmoid_norm", "ipo", "hinge", "robust", "sft"]] = knob(
        "Losses that are summed; sft is the likelihood of chosen.", ["sigmoid"], min_length=1
    )
    loss_weights: list[Annotated[float, Field(gt=0, le=1e6)]] | None = knob(
        "Weight of each loss; null: 1 each.", None
    )
    label_smoothing: float = knob("Share of flipped labels that robust expects.", 0.0, ge=0, lt=0.5)
    ld_alpha: Share | None = knob(
        "Weight of the tokens past the shorter side's length (LD-DPO); null: 1.", None
    )
    lora: Lora | None = knob("Low-rank adapters in place of full training; null: none.", None)

    @model_validator(mode="after")
    def _sound_loss(self) -> Preference:
        if not set(self.loss) - {"sft"} or len(set(self.loss)) < len(self.loss):
            raise ValueError("loss: takes each name once, and one of them that compares the sides")
        if self.loss_weights is not None and len(self.loss_weights) != len(self.loss):
            raise ValueError(
                f"loss_weights: has {len(self.loss_weights)} values for {len(self.loss)} losses"
            )
        if self.label_smoothing and "robust" not in self.loss:
            raise ValueError("label_smoothing: is a part of the loss robust, which is not in loss")
        return self


class Dpo(Preference):
    """Online DPO: where it starts from and what its reference is."""

    start: Literal["previous", "sft"] = knob("The weights that training starts from.", "previous")
    reference: Literal["sft", "previous"] = knob("The policy that beta pulls to.", "sft")


class DpoOffline(Preference):
    """The offline baseline: DPO on a ranked set, rank 1 against a worse response."""

    source: Name = knob("The preference set that it is trained on.")
    pairs: Count | None = knob("At most so many of its pairs; null: all.", None, unit="pairs")
