"""From sections of params.yaml to the plain settings that training takes."""

from __future__ import annotations

from pipelines.core.params import Params, placement
from pipelines.core.params.loop import Drawn
from pipelines.core.params.models import Lora as Adapters
from pipelines.core.params.models import Preference
from training.core.settings import Architecture, Dpo, Lora, RewardModel, Sft
from training.engines.endpoint import Endpoint
from training.engines.protocol import Sampling
from training.engines.settings import Engine


def sft(params: Params) -> Sft:
    """Settings of supervised fine-tuning; a recipe with `sft: null` has none."""
    assert params.sft is not None
    section = params.sft.model_dump(exclude={"lora", "launch"})
    return Sft(**section, lora=_lora(params.sft.lora), seed=params.seeds.sft)


def reward_model(params: Params) -> RewardModel:
    """Settings of the Bradley-Terry reward models."""
    section = params.reward_model.model_dump(exclude={"lora", "launch"})
    adapters = _lora(params.reward_model.lora)
    return RewardModel(**section, lora=adapters, seed=params.seeds.reward_model)


def preference_model(params: Params) -> Sft:
    """Settings of the pairwise preference model: next-token training on the label alone."""
    section = params.preference_model.model_dump(exclude={"mix", "orders", "launch"})
    return Sft(**section, completion_only=True, seed=params.seeds.preference_model)


def dpo(params: Params) -> Dpo:
    """Settings of online DPO."""
    return _dpo(params.dpo, params.seeds.dpo)


def dpo_offline(params: Params) -> Dpo:
    """Settings of the offline baseline."""
    return _dpo(params.dpo_offline, params.seeds.dpo)


def _dpo(section: Preference, seed: int) -> Dpo:
    outside = {"start", "reference", "source", "pairs", "launch", "lora"}
    return Dpo(**section.model_dump(exclude=outside), lora=_lora(section.lora), seed=seed)


def _lora(section: Adapters | None) -> Lora | None:
    return Lora(**section.model_dump()) if section else None


def engine(params: Params) -> Engine:
    """The engine section, with the memory that this machine's placement gives it."""
    section = params.engine.model_dump(exclude={"shard_prompts", "server"})
    memory = placement.here().memory_share
    server = Endpoint(**params.engine.server.model_dump())
    return Engine(**section, memory_share=memory, server=server)


def sampling(section: Drawn) -> Sampling:
    """How an iteration or the evaluation draws, beside temperature and length."""
    return Sampling(section.top_p, section.top_k, section.min_p, section.repetition_penalty)


def architecture(params: Params) -> Architecture:
    """The shape of a base model trained from scratch."""
    assert params.base.architecture is not None
    return Architecture(**params.base.architecture.model_dump())
