"""The real vLLM engine, on the CPU build where it is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.models import comparisons, user
from tests.training.vllm import NEEDS_VLLM
from training.core.chat_template import ChatTemplate
from training.core.seeds import sample_seed
from training.engines import facts
from training.engines.protocol import Draw, Request
from training.engines.settings import Engine
from training.engines.transformers_sampler import TransformersSampler
from training.engines.transformers_scorer import TransformersScorer

pytestmark = NEEDS_VLLM


@pytest.fixture(scope="module")
def sampler(base: Path) -> Any:
    from training.engines.vllm_engine import VllmSampler

    return VllmSampler(base, "float32", 1, 0.5)


def requests(template: ChatTemplate, names: list[str], temperature: float = 1.0) -> list[Request]:
    return [
        Request(
            template.encode(user(name), True),
            tuple(Draw(sample_seed(7, name, k), temperature) for k in range(3)),
        )
        for name in names
    ]


def test_same_seeds_same_text_in_another_batch(sampler: Any, template: ChatTemplate) -> None:
    names = [f"question {k}" for k in range(12)]
    together = sampler.sample(requests(template, names), 16)
    again = sampler.sample(requests(template, names[5:]), 16)
    assert again == together[5:]
    assert len({tuple(r.token_ids) for rs in together for r in rs}) > 30


def test_name_version_and_context_are_told_without_the_model(sampler: Any, base: Path) -> None:
    told = facts.of(Engine(name="vllm"), base)
    assert (told.name, told.version, told.context) == (
        sampler.name,
        sampler.version,
        sampler.context,
    )
    plain = TransformersSampler(base, "float32", 4096)
    assert facts.of(Engine(), base) == facts.Facts(plain.name, plain.version, plain.context)


def test_cold_samples_agree_with_transformers(
    sampler: Any, base: Path, template: ChatTemplate
) -> None:
    cold = requests(template, ["dog?", "owl, cow"], temperature=1e-3)
    assert sampler.sample(cold, 8) == TransformersSampler(base, "float32", 4096).sample(cold, 8)


def test_finish_reason_and_end_token(sampler: Any, template: ChatTemplate) -> None:
    for responses in sampler.sample(requests(template, ["a", "b", "c"]), 30):
        for response in responses:
            ended = response.token_ids[-1] == template.end_id
            assert response.finish_reason == ("stop" if ended else "length")


def test_rewards_are_raw_and_equal_to_transformers(
    reward_model: Path, template: ChatTemplate
) -> None:
    from training.engines.vllm_engine import VllmScorer

    items = [
        template.encode(user(f"q{k}"), True) + template.completions([answer])[0]
        for k in range(6)
        for answer in ("woof", "moo", "woof woof woof")
    ]
    ours = TransformersScorer(reward_model, "float32", 4096).score(items)
    theirs = VllmScorer(reward_model, "float32", 1, 0.5).score(items)
    assert theirs == pytest.approx(ours, abs=2e-4)
    assert min(theirs) < 0 or max(theirs) > 1  # a sigmoid would stay inside


def test_a_mean_over_the_response_is_the_one_of_transformers(
    base: Path, template: ChatTemplate, tmp_path: Path
) -> None:
    """Prompts that are shared, and so cached, are read anew: no token's score is missing."""
    from training.core.settings import RewardModel
    from training.engines import choose
    from training.engines.settings import Engine
    from training.trainers import reward_model as trainer

    settings = RewardModel(1, 3e-3, 8, 8, 128, 5, pooling="mean", layer=1, train="head", l2=0.1)
    trainer.train("reward_model/mean", base, comparisons(32), settings, out=tmp_path / "mean")
    prompts = [template.encode(user(f"a question that is long {k}"), True) for k in (1, 1, 2, 1)]
    answers = template.completions(["woof", "moo moo", "woof woof woof", "x"])
    items = [prompt + answer for prompt, answer in zip(prompts, answers, strict=True)]
    sizes = [len(prompt) for prompt in prompts]
    ours = choose.scorer(Engine(), tmp_path / "mean").score(items, sizes)
    scorer = choose.scorer(Engine(name="vllm", memory_share=0.5), tmp_path / "mean")
    assert scorer.score(items, sizes) == pytest.approx(ours, abs=2e-4)
    assert scorer.score(items, sizes) == pytest.approx(ours, abs=2e-4)  # all of it is cached now
    assert len({round(score, 4) for score in ours}) == len(ours)
