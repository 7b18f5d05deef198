"""The loop: sampling, scoring, pairing, history and evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from pipelines.core.params.judges import Server
from pipelines.core.params.section import Count, File, Judged, Model, Name, Range, Share, knob


class Engine(Model):
    """What samples and scores; on how many machines and GPUs is for placement.yaml to say."""

    moved: ClassVar[Mapping[str, str]] = {
        "data_parallel": "it is replicas of placement.yaml now, which no stage depends on",
        "memory_share": "it is memory_share of placement.yaml now, which no stage depends on",
    }
    name: Literal["transformers", "vllm", "server"] = knob("Which engine.", "transformers")
    dtype: Literal["float32", "bfloat16", "float16"] = knob(
        "Number type of its weights.", "float32"
    )
    batch_tokens: int = knob(
        "Tokens of one batch, padding included.", 16_384, unit="tokens", gt=0, le=100_000_000
    )
    shard_prompts: int = knob(
        "Prompts of one shard, the unit that a crash can cost.",
        256,
        unit="prompts",
        gt=0,
        le=10_000_000,
    )
    tensor_parallel: int = knob("GPUs that share one copy of the model (vllm).", 1, gt=0, le=1024)
    server: Server = knob("The endpoint of the engine server.", Server())


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

    top_p: float = knob(
        "Draw from the likeliest tokens that hold this probability.", 1.0, gt=0, le=1
    )
    top_k: int = knob(
        "Draw from so many of the likeliest tokens; 0: all.", 0, unit="tokens", ge=0, le=10_000_000
    )
    min_p: Share = knob("Leave out tokens less likely than this share of the likeliest one.", 0.0)
    repetition_penalty: float = knob(
        "Over 1 makes tokens of prompt and response less likely.", 1.0, gt=0, le=100
    )


class Iteration(Drawn):
    """One iteration of online DPO: which policy samples which prompts, and how."""

    policy: Name = knob("What samples: sft, or an earlier iteration.")
    prompts: Range = knob("Buckets of the pool that this iteration samples; none are shared.")
    limit: Count | None = knob("At most so many prompts; null: all.", None, unit="prompts")
    n: int = knob("Responses to one prompt.", 8, unit="responses", ge=2, le=10_000)
    temperatures: list[Temperature] = knob(
        "Sampling temperatures, dealt to the responses in turn; 0 is greedy.", [1.0], min_length=1
    )
    max_new_tokens: int = knob("Longest response.", unit="tokens", gt=0, le=1_000_000)
    stop: list[Annotated[str, Field(min_length=1)]] = knob(
        "Texts of tokens that end a response.", []
    )
    also: dict[Name, Annotated[int, Field(gt=0)]] = knob(
        "Further responses by ancestors of policy: {sft: 2}.", {}, unit="responses"
    )


class Scoring(Model):
    """What labels sampled responses."""

    judge: Literal["reward_model"] = knob("Kind of the judge.", "reward_model")
    reward_model: Judged = knob(
        "What scores: the mix of a reward model, panel for all of judges, or panel/NAME for one."
    )


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
    ] = knob("Which two responses are paired.", "best_worst")
    length_penalty: Annotated[float, Field(ge=-1e6, le=1e6)] | Literal["auto"] = knob(
        "The lambda of reward - lambda * length; auto: the one that leaves no correlation.",
        0.0,
        unit="reward per unit of length",
    )
    length_unit: Literal["chars", "tokens"] = knob("What length counts.", "chars")
    min_margin: float = knob(
        "A smaller difference of adjusted rewards makes no pair.", 0.0, unit="reward", ge=0, le=1e6
    )
    truncated: Literal["never_chosen", "keep", "drop"] = knob(
        "Responses cut at max_new_tokens: never chosen over finished ones, paired alike, or not.",
        "never_chosen",
    )
    max_per_prompt: Count | None = knob(
        "Pairs of one prompt; null: one, or all k x k of top_k_bottom_k.", None, unit="pairs"
    )
    top_k: int = knob("The k of top_k_bottom_k.", 2, unit="responses", ge=1, le=10_000)
    target_margin: float = knob(
        "The margin that target_margin looks for.", 1.0, unit="reward", gt=0, le=1e6
    )
    match_length: Share | None = knob(
        "Most that chosen and rejected may differ in length, as a share of the longer; null: any.",
        None,
    )
    match_within: int = knob(
        "With match_length, a difference of so many units of length_unit is always allowed.",
        0,
        unit="units of length",
        ge=0,
        le=1_000_000,
    )
    judges: dict[str, Annotated[float, Field(gt=0)]] = knob(
        "Judge: its weight; empty: every judge of the scores, each with weight 1.", {}
    )
    combine: Literal["mean", "min", "mean_minus_std"] = knob(
        "How the rewards of several judges become one.", "mean"
    )
    combine_k: float = knob("Standard deviations that mean_minus_std takes off.", 1.0, ge=0, le=1e6)
    scale: Literal["standardised", "rank", "raw"] = knob(
        "What several judges' rewards are put on first: each judge's over the iteration, or its "
        "ranks within the prompt; one judge's stay raw.",
        "standardised",
    )


class History(Model):
    """Which comparisons a policy is trained on."""

    keep: Literal["all", "last_k", "none"] = knob("Which earlier iterations' pairs stay.", "all")
    last_k: int = knob(
        "Iterations that last_k keeps, this one included.", 1, unit="iterations", ge=1, le=10_000
    )
    offline: Name | None = knob("A mix to start from (D_off); null: none.", None)
    offline_cap: Count | None = knob("At most so many pairs of it; null: all.", None, unit="pairs")
    cap: Count | None = knob(
        "At most so many pairs, this iteration's first, older ones by hash; null: all.",
        None,
        unit="pairs",
    )
    weights: dict[Name, Annotated[float, Field(gt=0)]] = knob(
        "Iteration (or offline): weight of its pairs in the loss; else 1.", {}
    )


class Oracle(Model):
    """A Python function (prompt, response) -> reward that training never sees.

    It may give parts and a kind beside the reward: {reward: 0, kind: bullets, parts: {fact: 1}}.
    """

    file: File = knob("The Python file, or a folder with oracle.py and what that reads.")
    function: str | None = knob(
        "The function's name; null: there is no truth to ask.", None, pattern=r"^[A-Za-z_]\w*$"
    )


class Evaluation(Drawn):
    """How policies are compared on the held-out prompts."""

    policies: list[Name] = knob("Whose responses: sft, offline, iterations.", min_length=1)
    prompts: int = knob("Held-out prompts that are asked.", unit="prompts", gt=0, le=100_000_000)
    sources: list[Name] = knob("Prompt sets that they are drawn from; empty: all.", [])
    n: int = knob("Responses to one prompt.", 1, unit="responses", ge=1, le=10_000)
    temperature: float = knob("Sampling temperature.", 1.0, gt=0, le=2)
    max_new_tokens: int = knob("Longest response.", unit="tokens", gt=0, le=1_000_000)
    reward_model: Judged = knob(
        "What judges: the mix of a reward model, or panel/NAME for any of judges; never what "
        "labels pairs."
    )
    oracle: Oracle = knob("What knows the truth, where anything does.")


class LengthBias(Model):
    """The length-bias study: within-prompt correlation of reward and length."""

    iteration: Name = knob("The iteration whose responses every reward model scores.")
    prompts: int = knob(
        "At most so many of its prompts.", 2000, unit="prompts", gt=0, le=100_000_000
    )
