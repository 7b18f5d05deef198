"""Which engine the recipe names."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path

from training.engines.endpoint import Endpoint
from training.engines.protocol import Sampler, Scorer


@dataclass(frozen=True)
class Engine:
    """The recipe's engine section."""

    name: str = "transformers"
    dtype: str = "float32"
    batch_tokens: int = 16_384
    tensor_parallel: int = 1
    data_parallel: int = 1
    memory_share: float = 0.9
    server: Endpoint = field(default_factory=Endpoint)

    def identity(self) -> tuple[object, ...]:
        """What a result may depend on: an endpoint's address and pace are no part of it."""
        plain = [getattr(self, one.name) for one in fields(self) if one.name != "server"]
        served = (self.server.model, self.server.prompts) if self.name == "server" else ()
        return (*plain, *served)


def sampler(engine: Engine, policy: Path) -> Sampler:
    """The sampler of a policy under the recipe's engine."""
    if engine.data_parallel > 1:
        from training.engines.parallel import ParallelSampler

        return ParallelSampler(engine, policy)
    if engine.name == "vllm":
        from training.engines.vllm_engine import VllmSampler

        return VllmSampler(policy, engine.dtype, engine.tensor_parallel, engine.memory_share)
    if engine.name == "server":
        from training.engines.server_sampler import ServerSampler

        return ServerSampler(policy, engine.server)
    from training.engines.transformers_sampler import TransformersSampler

    return TransformersSampler(policy, engine.dtype, engine.batch_tokens)


def scorer(engine: Engine, judge: Path) -> Scorer:
    """The scorer of a reward model; where policies are served it is the embedded one."""
    if engine.data_parallel > 1:
        from training.engines.parallel import ParallelScorer

        return ParallelScorer(engine, judge)
    if engine.name == "vllm":
        from training.engines.vllm_engine import VllmScorer

        return VllmScorer(judge, engine.dtype, engine.tensor_parallel, engine.memory_share)
    from training.engines.transformers_scorer import TransformersScorer

    return TransformersScorer(judge, engine.dtype, engine.batch_tokens)
