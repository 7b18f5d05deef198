"""The whole of params.yaml as one typed model."""

from __future__ import annotations

from pydantic import Field

from pipelines.core.params.data import Mix, Prompts, Source
from pipelines.core.params.judges import Judge
from pipelines.core.params.loop import (
    Engine,
    Evaluation,
    History,
    Iteration,
    LengthBias,
    Pairs,
    Scoring,
)
from pipelines.core.params.models import Base, Dpo, DpoOffline, PreferenceModel, RewardModel, Sft
from pipelines.core.params.section import Model, Name, Range, Share


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


class Gates(Model):
    """Bounds the gates hold the tables to; ``max_rule_rate`` overrides the bound of one rule."""

    max_drop_rate: Share = 0.5
    max_rule_rate: dict[Name, Share] = {}
    max_tie_rate: Share = 0.5
    max_null_scores: Share = 0.05
    max_conflict_rate: Share = 0.0
    chosen_longer_rate: Range = (0.02, 0.98)
    min_distinct_share: Share = Field(
        0.05,
        description="Least mean share, over prompts, of the further responses that are new texts.",
    )


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
    judges: dict[Name, Judge]
    scoring: Scoring
    pairs: Pairs
    history: History
    dpo: Dpo
    dpo_offline: DpoOffline
    length_bias: LengthBias
    evaluation: Evaluation
    gates: Gates
    report: Report
