"""The loop: sampling, scoring, pairing, history and evaluation."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from pipelines.core.params.judges import Server
from pipelines.core.params.section import Model, Name, Range, Share


class Engine(Model):
    """What samples and scores."""

    name: Literal["transformers", "vllm", "server"] = "transformers"
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    batch_tokens: int = Field(16_384, gt=0)
    shard_prompts: int = Field(256, gt=0)
    tensor_parallel: int = Field(1, gt=0)
    data_parallel: int = Field(1, gt=0)
    memory_share: Share = 0.9
    server: Server = Server()


def _in_vllm(value: float) -> float:
    """Refuse what vLLM would silently raise to 0.01."""
    if 0 < value < _COLDEST:
        raise ValueError(f"between 0 and {_COLDEST}; give 0 for the likeliest token")
    return value


_COLDEST = 0.01
Temperature = Annotated[float, Field(ge=0, le=2), AfterValidator(_in_vllm)]


class Drawn(Model):
    """How tokens are drawn, the same in every engine; the defaults draw from the policy itself.

    Applied in this order: repetition penalty, temperature, min_p, top_k, top_p. The model's own
    generation_config.json decides nothing of it, also where a server has loaded one.
    """

    top_p: float = Field(
        1.0, gt=0, le=1, description="Draw from the likeliest tokens that hold this probability."
    )
    top_k: int = Field(0, ge=0, description="Draw from so many of the likeliest tokens; 0: all.")
    min_p: Share = Field(
        0.0, description="Leave out tokens less likely than this share of the likeliest one."
    )
    repetition_penalty: float = Field(
        1.0, gt=0, description="Over 1 makes tokens of prompt and response less likely."
    )


class Iteration(Drawn):
    """One iteration of online DPO: which policy samples which prompts, and how."""

    policy: Name
    prompts: Range
    limit: int | None = Field(default=None, gt=0)
    n: int = Field(8, ge=2)
    temperatures: list[Temperature] = Field(
        [1.0], min_length=1, description="Of the responses to a prompt, in turn; 0 is greedy."
    )
    max_new_tokens: int = Field(gt=0)
    stop: list[Annotated[str, Field(min_length=1)]] = []
    also: dict[Name, Annotated[int, Field(gt=0)]] = {}


class Scoring(Model):
    """What labels sampled responses: one mix's reward model, or panel for all of `judges`."""

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


class Oracle(Model):
    """A Python function (prompt, response) -> reward that training never sees; null for none."""

    file: str
    function: str | None = None


class Evaluation(Drawn):
    """How policies are compared on the held-out prompts."""

    policies: list[Name]
    prompts: int = Field(gt=0)
    n: int = Field(1, ge=1)
    temperature: float = Field(1.0, gt=0, le=2)
    max_new_tokens: int = Field(gt=0)
    reward_model: Name
    oracle: Oracle


class LengthBias(Model):
    """The length-bias study: within-prompt correlation of reward and length."""

    iteration: Name
    prompts: int = Field(2000, gt=0)
