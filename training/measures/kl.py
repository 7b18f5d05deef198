"""KL(policy || pi0), estimated on the policy's own samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.core import checkpoint
from training.core.statistics import Floats
from training.engines.logprobs import Item, loaded, tempered_logprobs


@dataclass(frozen=True)
class Ratios:
    """log pi(response) - log pi0(response) of each response.

    Attributes:
        plain: of the policies themselves; DPO's implicit reward over beta.
        tempered: of both policies at the temperature that drew the response, from
            softmax(logits / T). A sample of the tempered policy says nothing unbiased about any
            other, so the mean of these estimates the KL between the policies as they sample.
    """

    plain: Floats
    tempered: Floats


def log_ratios(
    policy: Path,
    reference: Path,
    items: Sequence[Item],
    temperatures: Sequence[float],
    batch_tokens: int,
    *,
    bf16: bool = False,
) -> Ratios:
    """Log-ratios per response; the mean of the tempered ones estimates the KL in nats.

    Args:
        items: (prompt ids, sampled ids) as the policy drew them; both models must share a
            tokenizer.
        temperatures: of each item.
        bf16: matrix products in bfloat16, for policies that sample so. One model is in memory at
            a time, then at half its size.
    """
    if checkpoint.weights_sha(policy) == checkpoint.weights_sha(reference):
        return Ratios(np.zeros(len(items)), np.zeros(len(items)))
    ours, theirs = (
        np.asarray(
            tempered_logprobs(loaded(path, bf16=bf16), items, temperatures, batch_tokens, bf16=bf16)
        ).reshape(len(items), 2)
        for path in (policy, reference)
    )
    return Ratios(ours[:, 0] - theirs[:, 0], ours[:, 1] - theirs[:, 1])
