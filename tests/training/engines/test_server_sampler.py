"""The server engine and an LLM judge against a real `vllm serve` on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.vllm_server import vllm_server
from curation.core.errors import UserError
from tests.models import user
from tests.training.vllm import NEEDS_VLLM
from training.core.chat_template import ChatTemplate
from training.core.seeds import sample_seed
from training.engines.endpoint import Endpoint
from training.engines.protocol import Draw, Request
from training.engines.server_sampler import ServerSampler
from training.engines.transformers_sampler import TransformersSampler
from training.judges.llm import Chat, LlmJudge
from training.judges.protocol import Group

pytestmark = NEEDS_VLLM


@pytest.fixture(scope="module")
def url(base: Path) -> Iterator[str]:
    """One server for all tests here."""
    flags = ["--no-enable-chunked-prefill", "--generation-config", "vllm", "--max-num-seqs", "32"]
    with vllm_server(base, *flags) as address:
        yield address


def requests(template: ChatTemplate, names: list[str], temperature: float = 1.0) -> list[Request]:
    return [
        Request(
            template.encode(user(name), True),
            tuple(Draw(sample_seed(7, name, k), temperature) for k in range(3)),
        )
        for name in names
    ]


def test_same_seeds_same_text_in_another_batch(
    url: str, base: Path, template: ChatTemplate
) -> None:
    sampler = ServerSampler(base, Endpoint(url=url, concurrency=8))
    names = [f"question {k}" for k in range(8)]
    together = sampler.sample(requests(template, names), 16)
    assert sampler.sample(requests(template, names[5:]), 16) == together[5:]
    assert len({tuple(r.token_ids) for rs in together for r in rs}) > 20
    assert sampler.context == 256
    assert sampler.version[0].isdigit()


def test_cold_samples_agree_with_transformers(url: str, base: Path, template: ChatTemplate) -> None:
    cold = requests(template, ["dog?", "owl, cow"], temperature=1e-3)
    mine = ServerSampler(base, Endpoint(url=url)).sample(cold, 8)
    assert mine == TransformersSampler(base, "float32", 4096).sample(cold, 8)


def test_token_ids_and_finish_reasons_are_those_of_the_policy(
    url: str, base: Path, template: ChatTemplate
) -> None:
    sampler = ServerSampler(base, Endpoint(url=url))
    for responses in sampler.sample(requests(template, ["a", "b", "c"]), 30):
        for response in responses:
            ended = response.token_ids[-1] == template.end_id
            assert response.finish_reason == ("stop" if ended else "length")
            assert ended or len(response.token_ids) == 30


def test_stop_tokens_end_a_response(url: str, base: Path, template: ChatTemplate) -> None:
    sampler = ServerSampler(base, Endpoint(url=url))
    asked = requests(template, [f"question {k}" for k in range(4)])
    free = sampler.sample(asked, 30)
    stop = free[0][0].token_ids[3]
    for before, after in zip(free, sampler.sample(asked, 30, [stop]), strict=True):
        for one, other in zip(before, after, strict=True):
            end = one.token_ids.index(stop) + 1 if stop in one.token_ids else len(one.token_ids)
            assert other.token_ids == one.token_ids[:end]
            assert stop not in one.token_ids or other.finish_reason == "stop"
    sampler.close()


def test_prompts_may_go_as_text(url: str, base: Path, template: ChatTemplate) -> None:
    sampler = ServerSampler(base, Endpoint(url=url, prompts="text"))
    drawn = sampler.sample(requests(template, ["a", "b"], temperature=1e-3), 12)
    for responses in drawn:
        for response in responses:
            assert response.token_ids
            assert (response.token_ids[-1] == template.end_id) == (response.finish_reason == "stop")


def test_a_prompt_over_the_context_is_told_by_the_server(
    url: str, base: Path, template: ChatTemplate
) -> None:
    long = requests(template, ["word " * 400, "fine"])
    with pytest.raises(UserError, match="3 of 6 requests failed, the first with: BadRequest"):
        ServerSampler(base, Endpoint(url=url, retries=0)).sample(long, 8)


def test_another_policy_is_refused(url: str, reward_model: Path) -> None:
    with pytest.raises(UserError, match="serves base, not reward_model"):
        ServerSampler(reward_model, Endpoint(url=url))


def test_an_llm_judge_that_babbles_gives_null_rewards_with_reasons(url: str, base: Path) -> None:
    short = base.parent / "short.yaml"
    short.write_text(
        "kind: rating\nuser: '{prompt} {response}'\n"
        "verdict: '\\[\\[(\\d+)\\]\\]'\nlowest: 1\nhighest: 10\n"
    )
    endpoint = Endpoint(url=url, model=base.name)
    groups = [Group(user("dog?"), ("woof", "word " * 400))]
    verdicts = LlmJudge("llm", short, endpoint, Chat(max_tokens=200), "round_robin").judge(groups)
    assert [verdict.reward for verdict in verdicts[0]] == [None, None]
    assert "in the reply" in str(verdicts[0][0].reason) or "cut" in str(verdicts[0][0].reason)
    assert "maximum context length" in str(verdicts[0][1].reason)
