"""What a table records of a sampler and how long its contexts are, without loading a model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from training.core import checkpoint, vocabulary
from training.engines.settings import Engine


@dataclass(frozen=True)
class Facts:
    """A sampler's name and version, and the most tokens of prompt and response together."""

    name: str
    version: str
    context: int


def of(engine: Engine, policy: Path) -> Facts:
    """The facts of the sampler that an engine gives for a policy.

    Raises:
        UserError: the engine is not installed, or its endpoint is not there.
    """
    if engine.name == "vllm":
        from training.engines import vllm_engine

        return Facts("vllm", vllm_engine.version(), vllm_engine.context(policy, engine.dtype))
    if engine.name == "server":
        from training.engines.server_sampler import ServerSampler

        served = ServerSampler(policy, engine.server)  # a client: it holds no model
        return Facts(served.name, served.version, served.context)
    import transformers

    context = vocabulary.context(policy, checkpoint.load_tokenizer(policy))
    return Facts("transformers", str(transformers.__version__), context)
