"""The card of a reward model that is a mean over the response: its code gives its reward."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoModel

import curation.publish
from curation.publish import model
from tests.models import comparisons, user
from training.core import reward_head
from training.core.settings import RewardModel
from training.engines.settings import Engine
from training.judges.reward_model import RewardModelJudge
from training.trainers import reward_model

TEMPLATE = Path(curation.publish.__file__).parent / "templates" / "model.md.j2"


def test_the_code_of_the_card_gives_the_reward(base: Path, tmp_path: Path) -> None:
    path = tmp_path / "mean"
    settings = RewardModel(1, 3e-3, 8, 8, 128, 5, pooling="mean", train="head", l2=0.1)
    reward_model.train("reward_model/x", base, comparisons(32), settings, out=path)
    told = model._loading(path, "reward_models/x")
    assert (told["auto"], told["mean_head"]) == ("AutoModel", reward_head.FILE)
    text = TEMPLATE.read_text("utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    code = blocks[1].replace("{{ repo }}", str(path)).replace("{{ mean_head }}", told["mean_head"])
    names: dict[str, Any] = {"model": AutoModel.from_pretrained(path)}
    code = code.replace("from huggingface_hub import hf_hub_download\n", "")
    names["hf_hub_download"] = lambda repo, file: f"{repo}/{file}"
    exec(code, names)  # what a reader of the card would run
    judge = RewardModelJudge(path, Engine())
    (ids,), (n,) = judge.encode([(user("a question?"), "woof 2")])
    reward = judge.judge([(user("a question?"), "woof 2")])[0].reward
    assert names["reward"](ids[:n], ids[n:]) == pytest.approx(reward, abs=1e-5)


def test_other_models_are_loaded_as_before(reward_model: Path, base: Path) -> None:
    judged = model._loading(reward_model, "reward_models/x")
    assert (judged["auto"], judged["mean_head"]) == ("AutoModelForSequenceClassification", None)
    assert model._loading(base, "base")["auto"] == "AutoModelForCausalLM"
