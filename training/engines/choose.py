"""Which engine the recipe names: transformers, vLLM, or the client of a server."""

from __future__ import annotations

from pathlib import Path

from training.core import reward_head
from training.engines.protocol import Sampler, Scorer
from training.engines.settings import Engine


def sampler(engine: Engine, policy: Path) -> Sampler:
    """The sampler of a policy, loaded in this process."""
    if engine.name == "vllm":
        from training.engines.vllm_engine import VllmSampler

        return VllmSampler(policy, engine.dtype, engine.tensor_parallel, engine.memory_share)
    if engine.name == "server":
        from training.engines.server_sampler import ServerSampler

        return ServerSampler(policy, engine.server)
    from training.engines.transformers_sampler import TransformersSampler

    return TransformersSampler(policy, engine.dtype, engine.batch_tokens)


def scorer(engine: Engine, judge: Path) -> Scorer:
    """The scorer of a reward model; where policies are served it is transformers'."""
    pooling = reward_head.pooling(judge)
    with reward_head.native(judge) as path:
        if engine.name == "vllm":
            from training.engines.vllm_engine import VllmScorer

            share = engine.memory_share
            return VllmScorer(path, engine.dtype, engine.tensor_parallel, share, pooling)
        from training.engines.transformers_scorer import TransformersScorer

        return TransformersScorer(path, engine.dtype, engine.batch_tokens, pooling)
