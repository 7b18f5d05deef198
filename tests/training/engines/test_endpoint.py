"""The endpoint's client against a loopback server that fails in every way a server can."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from curation.core.errors import UserError
from tests.training.loopback import Loopback, serving
from training.engines.endpoint import Client, Endpoint, Failure

KEY = "sk-very-secret-7"


def completion(text: str) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": "stop", "text": text, "logprobs": None}
    head = {"id": "1", "object": "text_completion", "created": 0, "model": "m"}
    return {**head, "choices": [choice]}


class Faulty(Loopback):
    """The prompt says what to do: `429 429 ok` fails twice, then answers."""

    tries: ClassVar[Counter[str]] = Counter()
    busy = most = 0
    met = threading.Event()
    met.set()
    keys: ClassVar[set[str | None]] = set()
    lock = threading.Lock()

    def answer(self, call: dict[str, Any]) -> None:
        cls = type(self)
        with cls.lock:
            script = str(call["prompt"]).split(":")[0].split()
            step = min(cls.tries[call["prompt"]], len(script) - 1)
            cls.tries[call["prompt"]] += 1
            cls.keys.add(self.headers["Authorization"])
        with suppress(OSError):  # a client that has given up
            self.act(script[step], call["prompt"])

    def work(self) -> None:
        cls = type(self)
        with cls.lock:
            cls.busy += 1
            cls.most = max(cls.most, cls.busy)
            if cls.busy > 1:
                cls.met.set()
        cls.met.wait(60)
        with cls.lock:
            cls.busy -= 1

    def act(self, what: str, prompt: str) -> None:
        if what == "slow":
            self.connection.recv(1)  # nothing comes until the client has gone
        elif what.isdigit():
            message = f"no luck for {self.headers['Authorization']}"
            self.send(int(what), {"error": {"message": message}})
        elif what == "garbage":
            self.send(200, b"<html>oops</html>")
        elif what == "hangup":
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        else:
            self.work()
            self.send(200, completion(prompt))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(Faulty) as address:
        yield address


@pytest.fixture
def endpoint(url: str, monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    monkeypatch.setenv("JUDGE_KEY", KEY)
    return Endpoint(
        url=url, model="m", api_key_env="JUDGE_KEY", concurrency=3, timeout=120.0, retries=2
    )


@pytest.fixture
def client(endpoint: Endpoint) -> Client:
    return Client(endpoint)


@pytest.fixture
def hasty(endpoint: Endpoint) -> Client:
    """A client that soon gives a try up."""
    return Client(replace(endpoint, timeout=4.0))


def ask(client: Client, *prompts: str) -> list[Any]:
    answers = client.completions([{"model": "m", "prompt": prompt} for prompt in prompts])
    return [one if isinstance(one, Failure) else one.text for one in answers]


def test_busy_broken_and_lost_tries_are_repeated(client: Client) -> None:
    prompts = ["429 500 ok: a", "503 hangup ok: b", "ok: d"]
    assert ask(client, *prompts) == prompts
    assert [Faulty.tries[prompt] for prompt in prompts] == [3, 3, 1]


def test_a_try_that_takes_too_long_is_repeated(hasty: Client) -> None:
    assert ask(hasty, "slow ok: c") == ["slow ok: c"]
    assert Faulty.tries["slow ok: c"] == 2


def test_answers_keep_their_order_and_no_more_run_at_once_than_allowed(client: Client) -> None:
    prompts = [f"ok: number {k}" for k in range(30)]
    Faulty.most = 0
    Faulty.met.clear()
    assert ask(client, *prompts) == prompts
    assert 2 <= Faulty.most <= 3
    assert Faulty.keys == {f"Bearer {KEY}"}


@pytest.mark.parametrize(
    ("script", "told", "tries"),
    [
        ("500: always", "InternalServerError: Error code: 500", 3),
        ("400: never", "BadRequestError: Error code: 400", 1),
        ("garbage: never", "not an OpenAI-compatible completion", 1),
    ],
)
def test_one_bad_request_is_a_failure_with_a_reason_and_the_rest_stand(
    client: Client, script: str, told: str, tries: int
) -> None:
    failed, fine = ask(client, script, "ok: fine")
    assert fine == "ok: fine"
    assert told in failed.reason
    assert KEY not in failed.reason
    assert Faulty.tries[script] == tries


def test_a_request_that_is_never_answered_is_a_failure(hasty: Client) -> None:
    failed, fine = ask(hasty, "slow: never", "ok: fine")
    assert fine == "ok: fine"
    assert "no answer within 4 s" in failed.reason
    assert Faulty.tries["slow: never"] == 3


@pytest.mark.parametrize("script", ["401: key", "403: not yours", "404: gone", "hangup: lost"])
def test_what_concerns_every_request_is_one_line(client: Client, script: str) -> None:
    with pytest.raises(UserError) as caught:
        ask(client, "ok: before", script)
    told = str(caught.value)
    assert "\n" not in told
    assert KEY not in told
    assert told.startswith(client.endpoint.url)


def test_when_every_request_fails_the_stage_fails(client: Client) -> None:
    with pytest.raises(UserError, match="each of 2 requests failed, the first with: BadRequest"):
        ask(client, "400: x", "400: y")


def test_nobody_there_is_told_with_the_address() -> None:
    client = Client(Endpoint(url="http://127.0.0.1:9/v1", model="m", retries=0))
    with pytest.raises(UserError, match=r"127\.0\.0\.1:9/v1: .*refused.*is it running"):
        client.served("m")


def test_another_model_is_refused(client: Client) -> None:
    assert client.served("m")["id"] == "m"
    with pytest.raises(UserError, match="serves m, not iter1; start it with --served-model-name"):
        client.served("iter1")


def test_a_missing_key_is_told_without_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JUDGE_KEY", raising=False)
    with pytest.raises(UserError, match="JUDGE_KEY"):
        Client(Endpoint(api_key_env="JUDGE_KEY"))
