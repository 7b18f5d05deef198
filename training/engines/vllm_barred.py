"""What vLLM never draws: ids that the model has rows for and the tokenizer does not know.

One assignment per step whatever the batch; a bias per request (`logit_bias`) is rebuilt as lists
whenever a request comes or goes. A server can be started with it as well:
`vllm serve MODEL --logits-processors training.engines.vllm_barred:Barred`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from vllm.v1.sample.logits_processor import LogitsProcessor

from training.core import checkpoint, vocabulary
from training.core.chat_template import ChatTemplate


class Barred(LogitsProcessor):  # type: ignore[misc]
    """Gives ids past the tokenizer's vocabulary no probability, in every request."""

    def __init__(self, vllm_config: Any, device: torch.device, is_pin_memory: bool) -> None:
        path = Path(vllm_config.model_config.model)
        tokenizer = checkpoint.load_tokenizer(path)
        known = vocabulary.of(path, tokenizer, ChatTemplate(tokenizer))
        self._unknown = torch.tensor(known.unknown, dtype=torch.long, device=device)

    def is_argmax_invariant(self) -> bool:
        """False: the likeliest token may be one of those."""
        return False

    def update_state(self, batch_update: Any) -> None:
        """Nothing depends on the requests."""

    def apply(self, logits: torch.Tensor) -> torch.Tensor:
        """Bar them; [requests, vocabulary]."""
        return logits.index_fill_(1, self._unknown, -torch.inf) if len(self._unknown) else logits
