"""A reward model of others: its head by another name, its score at the last token of all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from curation.core.errors import UserError
from tests.models import user
from training.core import checkpoint
from training.engines.settings import Engine
from training.judges.reward_model import RewardModelJudge
from training.judges.view import Reading, seen

ITEMS = [(user(f"question {k}?"), text) for k in range(3) for text in ("woof", "moo", "x " * 9)]


def rewards(path: Path, reading: Reading) -> list[float]:
    judge = RewardModelJudge(path, Engine(), reading)
    return [verdict.reward or float("nan") for verdict in judge.judge(ITEMS)]


def renamed(source: Path, target: Path, sharded: bool) -> Path:
    """The model with its head called value_head.weight, in one file or in two with an index."""
    shutil.copytree(source, target)
    (target / checkpoint.CARD).unlink()
    weights = load_file(target / "model.safetensors")
    head = {"value_head.weight": weights.pop("score.weight")}
    if not sharded:
        save_file(weights | head, target / "model.safetensors", metadata={"format": "pt"})
        return target
    (target / "model.safetensors").unlink()
    files = {"model-1-of-2.safetensors": weights, "model-2-of-2.safetensors": head}
    for name, part in files.items():
        save_file(part, target / name, metadata={"format": "pt"})
    where = {key: name for name, part in files.items() for key in part}
    index = {"metadata": {}, "weight_map": where}
    (target / "model.safetensors.index.json").write_text(json.dumps(index))
    return target


@pytest.mark.parametrize("sharded", [False, True])
def test_a_head_of_another_name_scores_as_the_model_it_is(
    reward_model: Path, tmp_path: Path, sharded: bool
) -> None:
    path = renamed(reward_model, tmp_path / "renamed", sharded)
    with pytest.raises(UserError, match=r"\(it has value_head.weight\); a head of another name"):
        RewardModelJudge(path, Engine())
    named = Reading(head="value_head.weight")
    assert rewards(path, named) == pytest.approx(rewards(reward_model, Reading()), abs=1e-5)
    assert RewardModelJudge(path, Engine(), named).sha != checkpoint.weights_sha(path)
    with pytest.raises(UserError, match=r"head v_head cannot stand for score.weight"):
        seen(path, Reading(head="v_head"))
    with pytest.raises(UserError, match="cannot stand for nothing missing"):
        seen(reward_model, named)


def test_the_view_goes_with_its_judge(reward_model: Path, tmp_path: Path) -> None:
    path = renamed(reward_model, tmp_path / "renamed", False)
    view = seen(path, Reading(head="value_head.weight"))
    assert view is not None
    there = Path(view.name)
    assert sorted(load_file(there / "model.safetensors")) == sorted(
        load_file(reward_model / "model.safetensors")
    )
    view.cleanup()
    assert not there.exists()


def test_a_model_whose_pad_is_its_end_can_be_read_at_the_end(
    reward_model: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(reward_model, other)
    (other / checkpoint.CARD).unlink()
    config = json.loads((other / "config.json").read_text())
    config["pad_token_id"] = config["eos_token_id"]
    (other / "config.json").write_text(json.dumps(config))
    assert rewards(other, Reading(at="last")) == pytest.approx(
        rewards(reward_model, Reading()), abs=1e-6
    )
    before = rewards(other, Reading())
    assert before != pytest.approx(rewards(reward_model, Reading()), abs=1e-2)
    judge: Any = RewardModelJudge(other, Engine())
    plain = checkpoint.load_classifier(other)
    with torch.inference_mode():
        ids = judge.encode(ITEMS)[0]
        assert before == pytest.approx(
            [float(plain(torch.tensor([row])).logits[0, 0]) for row in ids], abs=1e-5
        )


def test_a_response_past_the_context_has_no_reward(reward_model: Path) -> None:
    items = [(user("a"), "woof"), (user("a"), "woof " * 300), (user("b"), "moo")]
    judge = RewardModelJudge(reward_model, Engine())
    assert judge.context == 256
    short, long, other = judge.judge(items)
    tokens = len(judge.encode(items)[0][1])
    assert (long.reward, long.reason) == (
        None,
        f"over context: {tokens} tokens, the judge reads 256",
    )
    assert [short, other] == judge.judge([items[0], items[2]])
    size = len(judge.encode(items[:1])[0][0])
    for context, fine in ((size, True), (size - 1, False)):
        verdict = RewardModelJudge(reward_model, Engine(), Reading(context=context)).judge(
            items[:1]
        )
        assert (verdict[0].reward is not None) == fine
