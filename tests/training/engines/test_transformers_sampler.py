from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.models import user
from training.core import checkpoint
from training.core.chat_template import ChatTemplate
from training.core.seeds import sample_seed
from training.engines.protocol import Draw, Request
from training.engines.transformers_sampler import TransformersSampler

PROMPTS = ["dog?", "Give the sound of each: dog, cow, owl.", "a much longer question " * 3, "x"]


def requests(template: ChatTemplate, n: int = 3, temperature: float = 1.0) -> list[Request]:
    return [
        Request(
            template.encode(user(text), True),
            tuple(Draw(sample_seed(7, text, k), temperature) for k in range(n)),
        )
        for text in PROMPTS
    ]


@pytest.fixture(scope="module")
def sampler(base: Path) -> TransformersSampler:
    return TransformersSampler(base, "float32", 16_384)


def test_text_is_the_same_in_any_batch(
    base: Path, template: ChatTemplate, sampler: TransformersSampler
) -> None:
    every = requests(template)
    together = sampler.sample(every, 24)
    assert [sampler.sample([request], 24)[0] for request in every] == together
    assert TransformersSampler(base, "float32", 64).sample(every, 24) == together


def test_more_samples_leave_the_first_alone(
    template: ChatTemplate, sampler: TransformersSampler
) -> None:
    few, many = sampler.sample(requests(template, 2), 16), sampler.sample(requests(template, 5), 16)
    assert [responses[:2] for responses in many] == few


def test_finish_reasons(template: ChatTemplate, sampler: TransformersSampler) -> None:
    for responses in sampler.sample(requests(template, 8), 40):
        for response in responses:
            ended = response.token_ids[-1] == template.end_id
            assert response.finish_reason == ("stop" if ended else "length")
            assert template.end_id not in response.token_ids[:-1]
            assert len(response.token_ids) == 40 or ended


def test_first_token_follows_the_softmax(
    base: Path, template: ChatTemplate, sampler: TransformersSampler
) -> None:
    prompt = template.encode(user("dog?"), True)
    draws = tuple(Draw(sample_seed(3, "dog", k), 0.7) for k in range(4000))
    drawn = sampler.sample([Request(prompt, draws)], 1)[0]
    counts = Counter(response.token_ids[0] for response in drawn)
    model: Any = checkpoint.load_policy(base)
    with torch.inference_mode():
        logits = model(torch.tensor([prompt])).logits[0, -1].double() / 0.7
    expected = torch.softmax(logits, -1).numpy() * len(draws)
    seen = np.array([counts.get(token, 0) for token in range(len(expected))])
    likely = expected >= 5
    chi2 = ((seen[likely] - expected[likely]) ** 2 / expected[likely]).sum()
    assert chi2 < likely.sum() + 5 * np.sqrt(2 * likely.sum())


def test_a_cold_sample_is_greedy(
    base: Path, template: ChatTemplate, sampler: TransformersSampler
) -> None:
    request = requests(template, 1, temperature=1e-4)[1]
    drawn = sampler.sample([request], 8)[0][0].token_ids
    model: Any = checkpoint.load_policy(base)
    ids = list(request.prompt)
    with torch.inference_mode():
        for token in drawn:
            assert int(model(torch.tensor([ids])).logits[0, -1].argmax()) == token
            ids.append(token)
