"""How scored responses become pairs: every knob of the pair stage in one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Strategy = Literal[
    "best_worst",
    "best_random",
    "best_second",
    "random",
    "top_k_bottom_k",
    "target_margin",
    "uncertainty",
]
Combine = Literal["mean", "min", "mean_minus_std"]
Scale = Literal["standardised", "rank", "raw"]


@dataclass(frozen=True)
class Rules:
    """The parameters of one pairing.

    ``length_penalty`` is reward per unit of length, or "auto": the coefficient that brings the
    mean within-prompt correlation of adjusted reward and length to zero, over all responses that
    have a reward, before never_chosen leaves any out. ``max_per_prompt`` None means one pair per
    prompt, or all k x k of top_k_bottom_k. An empty ``judges`` means every judge of the scores
    table, each with weight 1. ``scale`` is what the rewards of several judges are put on before
    they are combined: standardised per judge over the iteration, ranked within the prompt, or raw;
    a single judge's stay raw. ``truncated`` never_chosen: a response cut at the limit is not chosen
    over a finished one, which would teach to stop in mid-sentence; it may be rejected, or stand
    against another cut one. keep lets it win, drop pairs none.
    ``match_length``: both sides differ in length by at most this share of the longer one, or by
    ``match_within`` units where that is more; the strategy chooses among such pairs. None: any.
    """

    strategy: Strategy = "best_worst"
    length_penalty: float | Literal["auto"] = 0.0
    length_unit: Literal["chars", "tokens"] = "chars"
    min_margin: float = 0.0
    truncated: Literal["never_chosen", "keep", "drop"] = "never_chosen"
    max_per_prompt: int | None = None
    top_k: int = 2
    target_margin: float = 1.0
    match_length: float | None = None
    match_within: int = 0
    judges: Mapping[str, float] = field(default_factory=dict)
    combine: Combine = "mean"
    combine_k: float = 1.0
    scale: Scale = "standardised"
    seed: int = 0
