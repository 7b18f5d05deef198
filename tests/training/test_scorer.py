from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from training import checkpoint
from training.chat_template import ChatTemplate
from training.engines.choose import Engine
from training.engines.transformers_scorer import TransformersScorer
from training.errors import UserError
from training.judge import RewardModelJudge

from .conftest import comparisons, user


def items(template: ChatTemplate) -> list[list[int]]:
    texts = ["woof", "moo", "", "a long answer " * 4, "x"]
    return [
        template.encode(user(f"q {k}"), True) + template.completions([text])[0]
        for k in range(4)
        for text in texts
    ]


def test_batches_of_one_and_of_many_agree(reward_model: Path, template: ChatTemplate) -> None:
    rows = items(template)
    alone = TransformersScorer(reward_model, "float32", 1).score(rows)
    together = TransformersScorer(reward_model, "float32", 100_000).score(rows)
    assert together == pytest.approx(alone, abs=1e-5)
    assert len(set(alone)) == len(alone)


def test_pad_equal_to_end_does_not_move_the_score(
    reward_model: Path, template: ChatTemplate, tmp_path: Path
) -> None:
    """Lessons 11: with pad == eos transformers alone would read the token before the end."""
    other = tmp_path / "pad_is_eos"
    shutil.copytree(reward_model, other)
    config = json.loads((other / "config.json").read_text())
    config["pad_token_id"] = config["eos_token_id"]
    (other / "config.json").write_text(json.dumps(config))
    rows = items(template)
    expected = TransformersScorer(reward_model, "float32", 4096).score(rows)
    assert TransformersScorer(other, "float32", 4096).score(rows) == pytest.approx(
        expected, abs=1e-5
    )


def test_it_learned_what_it_was_shown(reward_model: Path) -> None:
    judge = RewardModelJudge(reward_model, Engine())
    pairs = comparisons(20)
    good = judge.judge([(pair.prompt, pair.chosen) for pair in pairs])
    bad = judge.judge([(pair.prompt, pair.rejected) for pair in pairs])
    assert all(a.reward > b.reward for a, b in zip(good, bad, strict=True))  # type: ignore[operator]


def test_reference_scores_are_stored_and_replayed(reward_model: Path, tmp_path: Path) -> None:
    stored = checkpoint.card(reward_model)["reference_scores"]
    assert len(stored) == 8
    tampered = tmp_path / "tampered"
    shutil.copytree(reward_model, tampered)
    card = checkpoint.card(tampered)
    card["reference_scores"][3]["score"] += 0.01
    (tampered / checkpoint.CARD).write_text(json.dumps(card))
    with pytest.raises(UserError, match="not loaded as it was trained"):
        RewardModelJudge(tampered, Engine())


def test_a_score_that_is_not_finite_is_null_with_a_reason(
    reward_model: Path, tmp_path: Path
) -> None:
    import torch

    broken = tmp_path / "broken"
    model: Any = checkpoint.load_classifier(reward_model)
    with torch.no_grad():
        model.score.weight.fill_(float("inf"))
    checkpoint.save(broken, model, checkpoint.load_tokenizer(reward_model), {"name": "x"})
    verdict = RewardModelJudge(broken, Engine()).judge([(user("a"), "b")])[0]
    assert verdict.reward is None
    assert "not finite" in str(verdict.reason)


def test_more_than_one_label_is_refused(base: Path, tokenizer: Any, tmp_path: Path) -> None:
    model = checkpoint.load_classifier(base, num_labels=3)
    checkpoint.save(tmp_path / "three", model, tokenizer, {})
    with pytest.raises(UserError, match="3 labels"):
        TransformersScorer(tmp_path / "three", "float32", 100)
