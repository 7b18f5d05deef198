"""The recipe's engine section as a plain value."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from training.engines.endpoint import Endpoint

_NO_PART = ("memory_share", "server")


@dataclass(frozen=True)
class Engine:
    """The recipe's engine section, and the share of a GPU's memory that placement gives it."""

    name: str = "transformers"
    dtype: str = "float32"
    batch_tokens: int = 16_384
    tensor_parallel: int = 1
    memory_share: float = 0.9
    server: Endpoint = field(default_factory=Endpoint)

    def identity(self) -> tuple[object, ...]:
        """What a result may depend on: memory, and an endpoint's address and pace, are no part."""
        plain = [getattr(self, one.name) for one in fields(self) if one.name not in _NO_PART]
        served = (self.server.model, self.server.prompts) if self.name == "server" else ()
        return (*plain, *served)
