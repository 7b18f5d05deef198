"""params.yaml as typed models: every knob of every stage, unknown keys refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from curation.errors import UserError

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Range = tuple[Share, Share]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class Model(BaseModel):
    """Base of every section: immutable, unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Seeds(Model):
    """One named seed per random choice."""

    split: int
    caps: int
    base: int
    sft: int
    reward_model: int
    preference_model: int
    sampling: int
    pairs: int
    dpo: int
    evaluation: int
    report: int


class Source(Model):
    """One raw set: where it is, which normaliser reads it, which rules it must pass."""

    kind: Literal["preference", "sft", "prompts", "benchmark"]
    format: str
    # A local file; for a set of the Hub, the file of pins that DVC watches in its place, because
    # DVC refuses hf:// as a dependency.
    path: str
    uri: str | None = Field(default=None, pattern=r"^hf://")
    revision: str | None = None
    limit: int | None = Field(default=None, gt=0)
    license: str = "unknown"
    annotator: str = "unknown"
    options: dict[str, Any] = {}
    filters: list[str | dict[str, Any]] = []


class Decontaminate(Model):
    """How training text is kept apart from the benchmarks."""

    ngram: int = Field(default=13, ge=1)
    exact: bool = True
    min_hits: int = Field(default=1, ge=1)


class Member(Model):
    """One set's share of a mix: the share of its prompts kept, and a cap on its rows."""

    weight: Share = 1.0
    cap: int | None = Field(default=None, gt=0)


class Mix(Model):
    """One mix of preference sets or SFT sets."""

    members: dict[Name, Member]
    per_prompt_cap: int | None = Field(default=None, gt=0)
    eval_share: Share = 0.05
    dedup: Literal["none", "exact", "near"] = "exact"
    conflicts: Literal["keep", "drop", "first_member"] = "drop"
    decontaminate: Decontaminate = Decontaminate()


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
    """What every trainer shares."""

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


class Sft(Train):
    """Supervised fine-tuning of the base model."""

    packing: bool = True
    completion_only: bool = True


class RewardModel(Train):
    """Bradley-Terry reward models, one per mix."""

    use_margin: bool = False


class PreferenceModel(Train):
    """The pairwise preference model, trained as next-token prediction."""

    mix: Name
    packing: bool = True


class Prompts(Model):
    """The prompt pool."""

    max_tokens: int = Field(gt=0)
    min_chars: int = Field(1, ge=0)
    eval_range: Range
    clusters: int = Field(8, gt=0)
    decontaminate: Decontaminate = Decontaminate()


class Iteration(Model):
    """One iteration of online DPO: which policy samples which prompts, and how."""

    policy: Name
    prompts: Range
    limit: int | None = Field(default=None, gt=0)
    n: int = Field(8, ge=2)
    temperatures: list[Annotated[float, Field(gt=0)]] = [1.0]
    max_new_tokens: int = Field(gt=0)


class Scoring(Model):
    """The judge that labels sampled responses."""

    judge: Literal["reward_model"] = "reward_model"
    reward_model: Name


class Pairs(Model):
    """How scored responses become a pair."""

    strategy: Literal[
        "best_worst",
        "best_random",
        "best_second",
        "random",
        "top_k_bottom_k",
        "target_margin",
        "uncertainty",
    ] = "best_worst"
    length_penalty: float | Literal["auto"] = 0.0
    length_unit: Literal["chars", "tokens"] = "chars"
    min_margin: float = Field(0.0, ge=0)
    truncated: Literal["keep", "drop"] = "keep"
    max_per_prompt: int | None = Field(default=None, gt=0)
    top_k: int = Field(2, ge=1)
    target_margin: float = Field(1.0, gt=0)
    judges: dict[str, Annotated[float, Field(gt=0)]] = {}
    combine: Literal["mean", "min", "mean_minus_std"] = "mean"
    combine_k: float = Field(1.0, ge=0)


class History(Model):
    """Which comparisons a policy is trained on."""

    keep: Literal["all", "last_k", "none"] = "all"
    last_k: int = Field(1, ge=1)
    offline: Name | None = None
    offline_cap: int | None = Field(default=None, gt=0)
    cap: int | None = Field(default=None, gt=0)
    weights: dict[Name, Annotated[float, Field(gt=0)]] = {}


class Dpo(Train):
    """Online DPO: the loss, where it starts from and what its reference is."""

    beta: float = Field(0.1, gt=0)
    loss: list[str] = ["sigmoid"]
    start: Literal["previous", "sft"] = "previous"
    reference: Literal["sft", "previous"] = "sft"


class DpoOffline(Train):
    """The offline baseline: DPO on a ranked set, rank 1 against a worse response."""

    source: Name
    pairs: int | None = Field(default=None, gt=0)
    beta: float = Field(0.1, gt=0)
    loss: list[str] = ["sigmoid"]


class Oracle(Model):
    """A Python function (prompt, response) -> reward that training never sees; null for none."""

    file: str
    function: str | None = None


class Evaluation(Model):
    """How policies are compared on the held-out prompts."""

    policies: list[Name]
    prompts: int = Field(gt=0)
    n: int = Field(1, ge=1)
    temperature: float = Field(1.0, gt=0)
    max_new_tokens: int = Field(gt=0)
    reward_model: Name
    oracle: Oracle


class LengthBias(Model):
    """The length-bias study: within-prompt correlation of reward and length."""

    iteration: Name
    prompts: int = Field(2000, gt=0)


class Gates(Model):
    """Bounds the gates hold the tables to; ``max_rule_rate`` overrides the bound of one rule."""

    max_drop_rate: Share = 0.5
    max_rule_rate: dict[Name, Share] = {}
    max_tie_rate: Share = 0.5
    max_null_scores: Share = 0.05
    max_conflict_rate: Share = 0.0
    chosen_longer_rate: Range = (0.02, 0.98)


class Engine(Model):
    """What samples and scores."""

    name: Literal["transformers", "vllm"] = "transformers"
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    batch_tokens: int = Field(16_384, gt=0)
    shard_prompts: int = Field(256, gt=0)
    tensor_parallel: int = Field(1, gt=0)
    memory_share: Share = 0.9


class Report(Model):
    """The report page."""

    pairs_sample: int = Field(200, ge=0)


class Params(Model):
    """The whole of params.yaml."""

    seeds: Seeds
    engine: Engine
    sources: dict[Name, Source]
    mixes: dict[Name, Mix]
    sft_mix: Mix
    base: Base
    sft: Sft
    reward_model: RewardModel
    preference_model: PreferenceModel
    prompts: Prompts
    iterations: dict[Name, Iteration]
    scoring: Scoring
    pairs: Pairs
    history: History
    dpo: Dpo
    dpo_offline: DpoOffline
    length_bias: LengthBias
    evaluation: Evaluation
    gates: Gates
    report: Report


def load(path: Path) -> Params:
    """Read and check params.yaml.

    Raises:
        UserError: the file is missing, is not YAML, or a key is unknown, missing or out of range.
    """
    from pipelines.params_links import check_links

    if not path.is_file():
        raise UserError(f"{path}: no such file; name the recipe with --params")
    try:
        raw = yaml.safe_load(path.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        line = " ".join(str(error).split())
        raise UserError(f"{path}: not valid YAML: {line}") from error
    try:
        params = Params.model_validate(raw)
    except ValidationError as error:
        raise UserError(f"{path}: {_first(error)}") from error
    check_links(params, path)
    return params


def _first(error: ValidationError) -> str:
    """The first problem as one line with its dotted key, and how many more there are."""
    problems = error.errors()
    first = problems[0]
    key = ".".join(str(part) for part in first["loc"]) or "the whole file"
    what = {
        "extra_forbidden": "unknown key; check its spelling against the README",
        "missing": "missing; add it",
    }.get(first["type"], first["msg"])
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{key}: {what}{more}"
