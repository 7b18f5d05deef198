"""A reward model behind a real `vllm serve` on loopback gives what it gives when it is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.vllm_server import vllm_server
from tests.models import user
from tests.training.vllm import NEEDS_VLLM
from training.core.sampled import Sampled
from training.engines.endpoint import Endpoint
from training.engines.settings import Engine
from training.judges.protocol import Group
from training.judges.reward_model import RewardModelJudge
from training.judges.served import Asking, ServedRewardModel

pytestmark = NEEDS_VLLM


@pytest.fixture(scope="module")
def url(reward_model: Path) -> Iterator[str]:
    """One server for all tests here."""
    with vllm_server(reward_model, "--runner", "pooling") as address:
        yield address


@pytest.mark.parametrize("api", ["classify", "pooling"])
@pytest.mark.parametrize("prompts", ["tokens", "text"])
def test_rewards_are_those_of_the_local_judge(
    url: str, reward_model: Path, api: Any, prompts: str
) -> None:
    local = RewardModelJudge(reward_model, Engine())
    cut = Sampled(local.template.completions(["moo moo"])[0][:-1], local.template.sha, cut=True)
    texts = ("woof 3", "moo 3!", "", "moo moo")
    drawn = (Sampled(), Sampled(), Sampled(), cut)
    endpoint = Endpoint(url=url, model=reward_model.name, retries=0, prompts=prompts)
    served = ServedRewardModel("big", reward_model, endpoint, Asking(api))
    question = user("question 1?")
    found = served.judge([Group(question, texts, drawn)])[0]
    want = local.judge([(question, text) for text in texts], list(drawn))
    assert [one.reward for one in found] == pytest.approx([v.reward for v in want], abs=2e-4)
    assert len({one.reward for one in found}) == len(texts)
    assert not all(0 <= float(one.reward or 0) <= 1 for one in found)  # no sigmoid


def test_what_the_server_refuses_is_null_and_the_rest_is_not(url: str, reward_model: Path) -> None:
    endpoint = Endpoint(url=url, model=reward_model.name, retries=0)
    served = ServedRewardModel("big", reward_model, endpoint, Asking(context=10_000))
    group = Group(user("question 1?"), ("woof", "word " * 400))
    served.judge([Group(user("q"), ("a", "b"))])
    served._context = 10_000  # as if the server had not told its limit
    good, long = served.judge([group])[0]
    assert good.reward is not None
    assert long.reward is None
    assert "BadRequestError" in str(long.reason)
