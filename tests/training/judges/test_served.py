"""A served reward model: raw scores by token ids, or a null with its reason."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from curation.core.errors import UserError
from tests.models import user
from tests.training.loopback import Loopback, serving
from training.core import checkpoint, reward_head
from training.engines.endpoint import Endpoint
from training.engines.settings import Engine
from training.engines.transformers_scorer import TransformersScorer
from training.judges import load
from training.judges.protocol import Group
from training.judges.reward_model import RewardModelJudge
from training.judges.served import Asking, ServedRewardModel

GROUPS = [
    Group(user("question 1?"), ("woof 3", "moo 3!", "woof woof")),
    Group(user("question 2?"), ("moo", "")),
]


class Scoring(Loopback):
    """Scores as vLLM's routes do, with the real model behind it; a test may change the answers."""

    scorer: ClassVar[TransformersScorer]
    seen: ClassVar[list[dict[str, Any]]] = []
    fail: ClassVar[dict[tuple[int, ...], Any]] = {}  # an answer of its own for some inputs
    obeys = True  # use_activation
    shift = 0.0

    def answer(self, call: dict[str, Any]) -> None:
        type(self).seen.append({**call, "route": self.path})
        ids = call["input"]
        if isinstance(ids, list) and tuple(ids) in self.fail:
            code, value = self.fail[tuple(ids)]
            self.send(code, value)
            return
        score = self.scorer.score([ids])[0] + self.shift
        if call["use_activation"] or not self.obeys:
            score = 1 / (1 + math.exp(-score))
        told = {"probs": [score]} if self.path == "/classify" else {"data": [[score]]}
        self.send(200, {"data": [{"index": 0, **told}]})


@pytest.fixture
def handler(reward_model: Path) -> type[Scoring]:
    scorer = TransformersScorer(reward_model, "float32", 4096)
    return type("Handler", (Scoring,), {"scorer": scorer, "seen": [], "fail": {}})


@pytest.fixture
def url(handler: type[Scoring]) -> Iterator[str]:
    with serving(handler) as address:
        yield address


@pytest.fixture
def path(reward_model: Path, tmp_path: Path) -> Path:
    """What a laptop has of a model that a server holds: all but its weights."""
    shutil.copytree(reward_model, tmp_path / "big", ignore=shutil.ignore_patterns("*.safetensors"))
    return tmp_path / "big"


def endpoint(url: str, **more: Any) -> Endpoint:
    return Endpoint(url=url, model="m", retries=1, **more)


def rewards(judge: Any) -> list[float | None]:
    return [verdict.reward for found in judge.judge(GROUPS) for verdict in found]


@pytest.mark.parametrize("api", ["classify", "pooling"])
def test_it_reads_what_the_local_judge_reads(
    url: str, handler: type[Scoring], path: Path, reward_model: Path, api: Any
) -> None:
    served = load.judge(
        load.Settings("big", "served_reward_model", path, server=endpoint(url), asking=Asking(api)),
        Engine(),
    )
    local = RewardModelJudge(reward_model, Engine())
    items = [(group.prompt, text) for group in GROUPS for text in group.responses]
    assert rewards(served) == pytest.approx([v.reward for v in local.judge(items)], abs=1e-5)
    sent = [call["input"] for call in handler.seen]
    assert [ids for ids in sent if ids in local.encode(items)[0]]
    assert all(isinstance(ids, list) for ids in sent)
    assert {call["route"] for call in handler.seen} == {f"/{api}"}
    assert served.template_sha == local.template.sha
    assert served.dtype == "served"


def test_a_failed_request_is_a_null_with_its_reason(
    url: str, handler: type[Scoring], path: Path, reward_model: Path
) -> None:
    judge = ServedRewardModel("big", path, endpoint(url), Asking())
    assert None not in rewards(judge)  # proven with all of them well
    local = RewardModelJudge(reward_model, Engine())
    items = [(group.prompt, text) for group in GROUPS for text in group.responses]
    ids = [tuple(one) for one in local.encode(items)[0]]
    handler.fail = {
        ids[0]: (500, {"error": "no"}),
        ids[1]: (200, {"data": [{"probs": [0.2, 0.8]}]}),
        ids[2]: (200, {"data": [{"probs": ["nan"]}]}),
        ids[3]: (200, b"<html>busy</html>"),
    }
    found = [verdict for group in judge.judge(GROUPS) for verdict in group]
    assert [verdict.reward is None for verdict in found] == [True] * 4 + [False]
    assert "InternalServerError" in str(found[0].reason)
    assert found[1].reason == "server: the answer holds 2 scores, and a reward model gives one"
    assert found[2].reason == "server: the answer's score is no number"
    assert found[3].reason == "server: the answer is none of /classify or /pooling"


def test_over_the_context_nothing_is_sent(url: str, handler: type[Scoring], path: Path) -> None:
    judge = ServedRewardModel("big", path, endpoint(url), Asking(context=12))
    found = judge.judge([Group(user("q?"), ("a", "woof " * 30))])[0]
    assert found[0].reward is not None
    assert str(found[1].reason).startswith("over context: ")
    assert all(len(call["input"]) < 40 for call in handler.seen)


def test_a_server_that_squashes_is_found_out(url: str, handler: type[Scoring], path: Path) -> None:
    handler.obeys = False
    with pytest.raises(UserError, match="it squashes rewards"):
        ServedRewardModel("big", path, endpoint(url), Asking()).judge(GROUPS)


def test_another_model_behind_the_name_is_found_out(
    url: str, handler: type[Scoring], path: Path
) -> None:
    handler.shift = 5.0
    with pytest.raises(UserError, match=r"it serves another model than judges.big\.path names"):
        ServedRewardModel("big", path, endpoint(url), Asking()).judge(GROUPS)


def test_what_is_not_there_is_one_line(url: str, path: Path, reward_model: Path) -> None:
    other = Endpoint(url=url, model="n", retries=0)
    with pytest.raises(UserError, match="serves m, not n"):
        ServedRewardModel("big", path, other, Asking()).judge(GROUPS)
    gone = Endpoint(url="http://127.0.0.1:9/v1", model="m", retries=0)
    with pytest.raises(UserError, match="is it running"):
        ServedRewardModel("big", path, gone, Asking()).judge(GROUPS)


def test_a_mean_over_the_response_is_refused(url: str, path: Path) -> None:
    (path / reward_head.FILE).touch()
    with pytest.raises(UserError, match="is a mean over the response, which a server does not"):
        ServedRewardModel("big", path, endpoint(url), Asking())


def test_a_text_is_sent_only_where_it_is_the_tokens(
    url: str, handler: type[Scoring], path: Path
) -> None:
    judge = ServedRewardModel("big", path, endpoint(url, prompts="text"), Asking())
    tokenizer = checkpoint.load_tokenizer(path)
    whole = tokenizer("sound", add_special_tokens=False).input_ids
    text = judge._input(whole)
    assert isinstance(text, str)
    assert tokenizer(text, add_special_tokens=False).input_ids == whole
    letters = [tokenizer(one, add_special_tokens=False).input_ids[0] for one in "sound"]
    assert letters != whole  # spelt letter by letter, as a policy may sample it
    assert judge._input(letters) is None
