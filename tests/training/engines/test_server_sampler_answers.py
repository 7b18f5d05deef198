"""What the server engine asks, and what it makes of answers that are no responses."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.training.loopback import Loopback, serving
from training.core import checkpoint
from training.core.chat_template import ChatTemplate
from training.engines.endpoint import Endpoint
from training.engines.protocol import Draw, Request, Response, Sampling
from training.engines.server_sampler import ServerSampler


class Served(Loopback):
    """Answers with the choice that the test has set, and keeps what it was asked."""

    choice: ClassVar[dict[str, Any]] = {}
    asked: ClassVar[list[dict[str, Any]]] = []

    def answer(self, call: dict[str, Any]) -> None:
        type(self).asked.append(call)
        head = {"id": "1", "object": "text_completion", "created": 0, "model": "m"}
        choice = {"index": 0, "logprobs": None, **self.choice}
        self.send(200, {**head, "choices": [choice]})


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(Served) as address:
        yield address


def ask(url: str, base: Path, prompts: str = "tokens", **choice: Any) -> Response:
    """The one response to one request that the server answers with this choice."""
    Served.choice = choice
    Served.asked.clear()
    sampler = ServerSampler(base, Endpoint(url=url, model="m", prompts=prompts))
    request = Request([1, 5, 6], (Draw(11, 0.7),))
    return sampler.sample([request], 4, [9], Sampling(top_p=0.9, top_k=5))[0][0]


@pytest.mark.parametrize("reason", ["abort", "content_filter", "tool_calls", "error", None])
def test_what_a_server_did_not_finish_is_a_failed_draw(
    url: str, base: Path, reason: str | None
) -> None:
    for ids in ({}, {"token_ids": [20, 21]}):
        found = ask(url, base, text="The answer is cut in the mid", finish_reason=reason, **ids)
        assert found.fault is not None
        assert found.fault.rule == "failed_draw"
        assert found.fault.detail == f"finish_reason {reason!r}"


def test_no_text_is_a_failed_draw(url: str, base: Path) -> None:
    found = ask(url, base, text=None, finish_reason="stop")
    assert found.fault is not None
    assert found.fault.detail == "no text"


@pytest.mark.parametrize("reason", ["stop", "eos_token", "stop_sequence"])
def test_stops_in_other_servers_words(url: str, base: Path, reason: str) -> None:
    template = ChatTemplate(checkpoint.load_tokenizer(base))
    said = ask(url, base, text="dog", finish_reason=reason)
    assert said.fault is None
    assert said.finish_reason == "stop"
    assert said.token_ids[-1] == template.end_id
    assert template.decode(said.said) == "dog"


@pytest.mark.parametrize(
    ("ids", "reason", "rule"),
    [
        ([20, 21, 9], "stop", None),  # the recipe's own end
        ([20, 21, 22, 23], "length", None),
        ([20, 21], "length", "cut_early"),  # the server has a limit of its own
        ([20, 21], "stop", "no_end_token"),
        ([20, 9, 21, 9], "stop", "past_end"),  # it took no notice of stop_token_ids
        ([20, 5000, 9], "stop", "unknown_token"),
        ([20, 1, 9], "stop", "control_token"),
    ],
)
def test_ids_that_no_engine_of_ours_could_draw_are_failed_draws(
    url: str, base: Path, ids: list[int], reason: str, rule: str | None
) -> None:
    found = ask(url, base, text="?", finish_reason=reason, token_ids=ids)
    assert (found.fault.rule if found.fault else None) == rule


@pytest.mark.parametrize("prompts", ["tokens", "text"])
def test_a_request_leaves_nothing_to_the_servers_own_defaults(
    url: str, base: Path, prompts: str
) -> None:
    ask(url, base, prompts, text="dog", finish_reason="stop")
    (call,) = Served.asked
    assert (call["temperature"], call["top_p"], call["top_k"], call["min_p"]) == (0.7, 0.9, 5, 0.0)
    assert call["repetition_penalty"] == 1.0
    assert (call["presence_penalty"], call["frequency_penalty"]) == (0.0, 0.0)
    assert (call["seed"], call["max_tokens"]) == (11, 4)
    if prompts == "tokens":
        assert 9 in call["stop_token_ids"]
    else:
        assert len(call["stop"]) >= 2


THOUGHTS = (
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}[INST]{{ m.content }}[/INST]"
    "{% else %}<think></think>{{ m.content }}{{ eos_token }}{% endif %}{% endfor %}"
)


@pytest.fixture(scope="module")
def thinks(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A policy whose template puts an empty thought before answers, as Qwen3's does."""
    folder = tmp_path_factory.mktemp("thinks") / "policy"
    shutil.copytree(base, folder)
    (folder / "chat_template.jinja").write_text(THOUGHTS)
    return folder


@pytest.mark.parametrize("text", ["dog", "", " dog\n"])
def test_a_text_is_what_the_server_said_and_nothing_that_a_template_puts_before_answers(
    url: str, thinks: Path, text: str
) -> None:
    template = ChatTemplate(checkpoint.load_tokenizer(thinks))
    said = ask(url, thinks, text=text, finish_reason="stop")
    assert template.decode(said.said) == text
    assert said.token_ids == [*template.tokenizer(text)["input_ids"], template.end_id]
    cut = ask(url, thinks, text=text, finish_reason="length")
    assert cut.token_ids == said.said


def test_a_text_that_spells_a_marker_of_turns_is_a_failed_draw(url: str, thinks: Path) -> None:
    found = ask(url, thinks, text="so [INST] dog", finish_reason="stop")
    assert found.fault is not None
    assert (found.fault.rule, found.fault.detail) == ("control_token", "spells [INST]")
