"""The recipe's sampling against vLLM's own operators, one row at a time and all together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from training.engines.choosing import Chooser
from training.engines.protocol import PLAIN, Draw, Sampling

NONE = torch.tensor([], dtype=torch.long)
PROMPTS = [[3, 4, 4, 9], [7], [1, 2]]
HEATS = (1.0, 0.5, 1.7)


def chooser(sampling: Sampling, unknown: torch.Tensor = NONE, n: int = 3) -> Chooser:
    draws = [Draw(100 + k, HEATS[k]) for k in range(n)]
    return Chooser(draws, PROMPTS[:n], sampling, unknown)


def logits() -> torch.Tensor:
    return torch.randn(3, 50, generator=torch.Generator().manual_seed(4)) * 3


def by_vllm(scores: torch.Tensor, sampling: Sampling, prompts: Sequence[Sequence[int]]) -> Any:
    """The distributions by vLLM's definitions: its top_k and top_p, the rest written out."""
    ops = pytest.importorskip("vllm.v1.sample.ops.topk_topp_sampler", reason="no vllm here")
    for row, prompt in zip(scores, prompts, strict=True):
        for token in set(prompt):
            row[token] *= (
                sampling.repetition_penalty if row[token] < 0 else 1 / sampling.repetition_penalty
            )
    scores /= torch.tensor(HEATS).unsqueeze(1)
    probabilities = torch.softmax(scores, -1)
    scores[probabilities < sampling.min_p * probabilities.amax(-1, keepdim=True)] = -torch.inf
    k = torch.full((3,), sampling.top_k or 50)
    cut = ops.apply_top_k_top_p_pytorch(scores, k, torch.full((3,), sampling.top_p))
    return torch.softmax(cut, -1)


@pytest.mark.parametrize(
    "sampling",
    [
        PLAIN,
        Sampling(top_p=0.8),
        Sampling(top_k=5),
        Sampling(min_p=0.1),
        Sampling(repetition_penalty=1.4),
        Sampling(top_p=0.9, top_k=20, min_p=0.02, repetition_penalty=0.8),
    ],
)
def test_the_distribution_is_vllms(sampling: Sampling) -> None:
    ours = chooser(sampling).probabilities(logits())
    theirs = by_vllm(logits(), sampling, PROMPTS)
    assert (ours > 0).equal(theirs > 0)
    assert torch.allclose(ours, theirs.double(), atol=1e-6)


def test_drawn_tokens_are_penalised_too_and_rows_that_leave_change_nothing() -> None:
    sampling = Sampling(repetition_penalty=1e6)
    whole, fewer = chooser(sampling), chooser(sampling)
    first = whole.choose(logits(), 0)
    assert (first == fewer.choose(logits(), 0)).all()
    fewer.keep(np.array([0, 2]))
    assert (whole.choose(logits(), 1)[[0, 2]] == fewer.choose(logits()[[0, 2]], 1)).all()
    found = whole.probabilities(torch.ones(3, 50))
    assert (found[torch.arange(3), torch.as_tensor(first)] < 0.9 / 50).all()


def test_a_cold_row_takes_the_likeliest_that_is_known() -> None:
    scores = torch.zeros(2, 50)
    scores[:, 49], scores[:, 20] = 9.0, 5.0
    draws = [Draw(1, 0.0), Draw(2, 1.0)]
    cold = Chooser(draws, [[1], [1]], Sampling(top_k=3), torch.tensor([49]))
    assert cold.choose(scores, 0)[0] == 20
    assert {int(cold.choose(scores, step)[1]) for step in range(200)} <= set(range(49))
