"""KL(policy || pi0), estimated on the policy's own samples."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from training.core import checkpoint
from training.core.statistics import Floats
from training.engines.logprobs import Item, completion_logprobs


def log_ratios(policy: Path, reference: Path, items: Sequence[Item], batch_tokens: int) -> Floats:
    """log pi(response) - log pi0(response) per response; its mean estimates the KL in nats.

    Args:
        items: (prompt ids, sampled ids) as the policy drew them; both models must share a
            tokenizer.
    """
    if checkpoint.weights_sha(policy) == checkpoint.weights_sha(reference):
        return np.zeros(len(items))
    ours = completion_logprobs(checkpoint.load_policy(policy), items, batch_tokens)
    theirs = completion_logprobs(checkpoint.load_policy(reference), items, batch_tokens)
    difference: Floats = np.asarray(ours) - np.asarray(theirs)
    return difference
