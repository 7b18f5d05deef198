"""The whole of params.yaml as one typed model."""

from __future__ import annotations

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
from pipelines.core.params.models import (
    Base,
    Dpo,
    DpoOffline,
    PreferenceModel,
    Published,
    RewardModel,
    Sft,
)
from pipelines.core.params.section import Model, Name, Range, Seed, Share, knob


class Seeds(Model):
    """One named seed per random choice."""

    split: Seed = knob("Train and eval by prompt, and the buckets of the prompt pool.")
    caps: Seed = knob("Which rows a cap or a weight keeps.")
    base: Seed = knob("First weights of a base model from scratch.")
    sft: Seed = knob("Order of the rows of supervised fine-tuning.")
    reward_model: Seed = knob("Reward models: the first head, and the order of the rows.")
    preference_model: Seed = knob("Preference model: the order of the rows.")
    sampling: Seed = knob("Sampled responses; one seed per (prompt, sample) is hashed from it.")
    pairs: Seed = knob("Strategies that pair at random.")
    dpo: Seed = knob("Order of the rows of DPO, online and offline.")
    evaluation: Seed = knob("Held-out samples, and bootstrap intervals.")
    report: Seed = knob("Which pairs the page shows.")


class Gates(Model):
    """Bounds that the gates hold the tables to."""

    max_drop_rate: Share = knob("Greatest share of a table that one rule may drop.", 0.5)
    max_rule_rate: dict[Name, Share] = knob("Rule: a bound of its own.", {})
    max_tie_rate: Share = knob("Greatest share of prompts whose best rewards tie.", 0.5)
    max_cut_share: Share = knob("Greatest share of pairs with a side cut at the limit.", 0.5)
    max_null_scores: Share = knob("Greatest share of judgements that may fail.", 0.05)
    max_conflict_rate: Share = knob("Greatest share of pairs that a mix labels both ways.", 0.0)
    chosen_longer_rate: Range = knob(
        "Least and greatest share of pairs whose chosen response is the longer.", (0.02, 0.98)
    )
    min_distinct_share: Share = knob(
        "Least mean share, over prompts, of the further responses that are new texts.", 0.05
    )


class Report(Model):
    """The report page."""

    pairs_sample: int = knob("Pairs that the page shows.", 200, unit="pairs", ge=0, le=100_000)


class Params(Model):
    """The whole of params.yaml."""

    seeds: Seeds = knob("One named seed per random choice.")
    engine: Engine = knob("What samples and scores.")
    sources: dict[Name, Source] = knob("Raw sets by name.")
    mixes: dict[Name, Mix] = knob("Mixes of preference sets by name; each trains a reward model.")
    sft_mix: Mix = knob("The mix of SFT sets.", Mix(members={}))
    base: Base = knob("The base model, from scratch or from published weights.")
    sft: Sft | None = knob(
        "Supervised fine-tuning, which makes pi0; null: the base model is pi0, as an Instruct one."
    )
    reward_model: RewardModel = knob("Bradley-Terry reward models, one per mix.")
    preference_model: PreferenceModel = knob("The pairwise preference model.")
    prompts: Prompts = knob("The prompt pool that iterations and evaluation draw from.")
    iterations: dict[Name, Iteration] = knob("Iterations by name, in order; add one here.")
    models: dict[Name, Published] = knob(
        "Models that others made, by name; judges.NAME.path takes data/checkpoints/models/NAME.", {}
    )
    judges: dict[Name, Judge] = knob("Judges of a panel by name; empty without one.")
    scoring: Scoring = knob("What labels sampled responses.")
    pairs: Pairs = knob("How scored responses become a pair.")
    history: History = knob("Which comparisons a policy is trained on.")
    dpo: Dpo = knob("Online DPO.")
    dpo_offline: DpoOffline = knob("The offline baseline.")
    length_bias: LengthBias = knob("The length-bias study.")
    evaluation: Evaluation = knob("How policies are compared on held-out prompts.")
    gates: Gates = knob("Bounds that the gates hold the tables to.")
    report: Report = knob("The report page.")
