"""KL at the temperature that sampled, against its exact value over a whole vocabulary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from training.core import checkpoint
from training.measures import kl

PROMPT = [7, 11, 13]


@pytest.fixture(scope="module")
def policy(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny base model, moved a little at random."""
    model: Any = checkpoint.load_policy(base)
    torch.manual_seed(4)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight) * 0.05)
    path = tmp_path_factory.mktemp("kl") / "policy"
    checkpoint.save(path, model, checkpoint.load_tokenizer(base), {"kind": "policy"})
    return path


def probabilities(path: Path, temperature: float) -> Any:
    """The next token's distribution after the prompt, as sampling at this temperature has it."""
    with torch.inference_mode():
        logits = checkpoint.load_policy(path)(torch.tensor([PROMPT])).logits[0, -1].double()
    return torch.softmax(logits / temperature, -1).numpy()


@pytest.mark.parametrize("temperature", [0.5, 0.7, 1.0, 1.5])
def test_the_mean_over_samples_is_the_kl_of_the_policies_as_they_sample(
    policy: Path, base: Path, temperature: float
) -> None:
    ours, theirs = (probabilities(path, temperature) for path in (policy, base))
    exact = float((ours * np.log(ours / theirs)).sum())
    items = [(PROMPT, [token]) for token in range(len(ours))]
    found = kl.log_ratios(policy, base, items, [temperature] * len(items), 4096)
    assert float((ours * found.tempered).sum()) == pytest.approx(exact, abs=1e-5)
    one, other = (probabilities(path, 1.0) for path in (policy, base))
    assert found.plain == pytest.approx(np.log(one / other), abs=1e-4)
    if temperature != 1.0:  # the figure before: samples of one policy, ratios of another
        assert abs(float((ours * found.plain).sum()) - exact) > 0.01


def test_each_response_has_its_own_temperature(policy: Path, base: Path) -> None:
    items = [(PROMPT, [5, 9, 2]), ([3], [4] * 6), (PROMPT, [8])]
    heat = [0.7, 1.0, 1.3]
    together = kl.log_ratios(policy, base, items, heat, 4096)
    alone = [
        kl.log_ratios(policy, base, [item], [t], 4096) for item, t in zip(items, heat, strict=True)
    ]
    assert together.tempered == pytest.approx([one.tempered[0] for one in alone], abs=1e-4)
    assert together.plain[1] == together.tempered[1]
    assert not kl.log_ratios(base, base, items, heat, 4096).tempered.any()
