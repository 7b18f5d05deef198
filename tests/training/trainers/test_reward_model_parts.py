"""What a head reads and what of the model learns: one rule in training, scoring and on disk."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModel, AutoModelForSequenceClassification

from curation.core.errors import UserError
from tests.models import comparisons, user
from training.core import checkpoint, reward_head
from training.core.sampled import Sampled
from training.core.settings import RewardModel
from training.engines.settings import Engine
from training.judges import plain
from training.judges.features import Backbone
from training.judges.reward_model import RewardModelJudge
from training.trainers import frozen, reward_model

SETTINGS = RewardModel(
    epochs=1, learning_rate=3e-3, global_batch=8, per_device_batch=8, max_length=128, seed=5
)
ROWS = comparisons(48)
KINDS = {
    "mean": replace(SETTINGS, pooling="mean"),
    "mean_head": replace(SETTINGS, pooling="mean", train="head", l2=0.1),
    "layer_head": replace(SETTINGS, layer=1, train="head"),
    "mean_layer_top": replace(SETTINGS, pooling="mean", layer=2, train="top_k", top_k=1),
}


@pytest.fixture(scope="module")
def made(base: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("parts")
    for name, settings in KINDS.items():
        reward_model.train(f"reward_model/{name}", base, ROWS, settings, out=folder / name)
    return {name: folder / name for name in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_it_learns_and_every_reader_gives_one_score(made: dict[str, Path], kind: str) -> None:
    judge = RewardModelJudge(made[kind], Engine(batch_tokens=256))
    items = [(user(f"question {k}?"), text) for k in (900, 901) for text in ("woof 3", "moo 3!")]
    ours = [verdict.reward for verdict in judge.judge(items)]
    assert None not in ours
    assert ours[0] > ours[1]  # type: ignore[operator]
    assert ours[2] > ours[3]  # type: ignore[operator]
    ids, prompts = judge.encode(items)
    for scores in plain.scores(made[kind], ids, plain.SIDES, prompts).values():
        assert scores == pytest.approx(ours, abs=1e-4)


def test_a_middle_layer_is_a_plain_model_of_so_many_layers(
    made: dict[str, Path], base: Path
) -> None:
    model: Any = AutoModelForSequenceClassification.from_pretrained(made["layer_head"])
    assert model.config.num_hidden_layers == 1
    whole = checkpoint.load_policy(base)
    ids = torch.tensor([[5, 9, 7, 3]])
    with torch.inference_mode():
        middle = whole(ids, output_hidden_states=True).hidden_states[1]
        want = model.score(whole.model.norm(middle))[0, -1, 0]
        assert float(model(ids).logits[0, 0]) == pytest.approx(float(want), abs=1e-5)


def test_only_what_learns_has_changed(made: dict[str, Path], base: Path) -> None:
    before = dict(checkpoint.load_policy(base).model.named_parameters())
    for kind, changed in {"mean_head": (), "mean_layer_top": ("layers.1.", "norm.")}.items():
        after = dict(AutoModel.from_pretrained(made[kind]).named_parameters())
        other = {name for name, value in after.items() if not torch.equal(value, before[name])}
        assert all(name.startswith(changed) for name in other)
        assert bool(other) == bool(changed)


def test_a_mean_is_no_classifier_that_could_be_read_at_the_last_token(
    made: dict[str, Path],
) -> None:
    path = made["mean"]
    backbone, report = AutoModel.from_pretrained(path, output_loading_info=True)
    assert not any(report.values())
    model, report = AutoModelForSequenceClassification.from_pretrained(
        path, output_loading_info=True
    )
    assert report["missing_keys"] == {"score.weight"}
    assert model(torch.tensor([[5, 6]])).logits.shape == (1, 0)
    told = json.loads((path / "config.json").read_text())
    assert told["architectures"] == [type(backbone).__name__]
    assert checkpoint.card(path)["pooling"] == "mean"
    with pytest.raises(UserError, match="has 0 labels"):
        checkpoint.load_classifier(path)
    with pytest.raises(UserError, match="multi-head model reads the last token"):
        Backbone(path, 1024)


def test_the_head_is_a_part_of_the_hash_and_of_the_proof(
    made: dict[str, Path], tmp_path: Path
) -> None:
    from safetensors.torch import save_file

    shutil.copytree(made["mean"], tmp_path / "other")
    head = reward_head.tensor(tmp_path / "other")
    save_file({reward_head.NAME: head * 2}, tmp_path / "other" / reward_head.FILE)
    shas = {checkpoint.weights_sha(path) for path in (made["mean"], tmp_path / "other")}
    assert len(shas) == 2
    with pytest.raises(UserError, match="not loaded as it was trained"):
        RewardModelJudge(tmp_path / "other", Engine())


def test_a_mean_of_nothing_is_null(made: dict[str, Path]) -> None:
    judge = RewardModelJudge(made["mean"], Engine())
    cut = Sampled([], judge.template.sha, cut=True)
    verdict = judge.judge([(user("a?"), "")], [cut])[0]
    assert verdict.reward is None
    assert verdict.reason == "empty: the response has no token to take the mean of"


def test_a_solved_head_repeats_its_bytes_and_reuses_its_features(
    made: dict[str, Path], base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frozen, "CHUNK", 16)
    settings, work = KINDS["layer_head"], tmp_path / "work"
    done = reward_model.train("reward_model/x", base, ROWS, settings, out=tmp_path / "x", work=work)
    assert done["l2_accuracy"] > 0.8
    assert len(list(work.rglob("features-*.npy"))) == 3
    weights = (tmp_path / "x" / "model.safetensors").read_bytes()
    assert weights == (made["layer_head"] / "model.safetensors").read_bytes()

    monkeypatch.setattr(frozen, "Passes", lambda *_: None)  # nothing could be computed again
    reward_model.train("reward_model/x", base, ROWS, settings, out=tmp_path / "y", work=work)
    assert (tmp_path / "y" / "model.safetensors").read_bytes() == weights


def test_more_layers_than_there_are(base: Path, tmp_path: Path) -> None:
    for name, settings in {
        "layer": replace(SETTINGS, layer=9),
        "top_k": replace(SETTINGS, train="top_k", top_k=9),
    }.items():
        with pytest.raises(UserError, match=f"reward_model.{name}: 9, but the model has 2 layers"):
            reward_model.train("x", base, ROWS, settings, out=tmp_path / "out")
