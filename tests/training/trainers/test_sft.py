from __future__ import annotations

from pathlib import Path
from typing import Any

import datasets
import pytest
import torch

from tests.models import user
from training.core import checkpoint
from training.core.chat_template import ChatTemplate
from training.core.settings import Sft
from training.trainers import examples, packing, sft

SETTINGS = Sft(
    epochs=2, learning_rate=3e-3, global_batch=4, per_device_batch=4, max_length=64, seed=2
)


def dialogues(count: int) -> list[list[dict[str, str]]]:
    return [
        [*user(f"question {k}?"), {"role": "assistant", "content": f"woof {k % 3}"}]
        for k in range(count)
    ]


def test_the_loss_counts_the_answer_and_its_end_token(template: ChatTemplate) -> None:
    item = dialogues(1)[0]
    row = examples.conversations(template, [item], 64, completion_only=True).rows[0]
    counted = [
        token for token, label in zip(row["input_ids"], row["labels"], strict=True) if label != -100
    ]
    assert counted == template.completions(["woof 0"])[0]
    assert row["input_ids"] == template.encode(item)
    whole = examples.conversations(template, [item], 64, completion_only=False).rows[0]
    assert whole["labels"] == whole["input_ids"] == row["input_ids"]


def test_every_turn_of_the_assistant_counts(template: ChatTemplate) -> None:
    item = [*dialogues(1)[0], *user("and?"), {"role": "assistant", "content": ""}]
    row = examples.conversations(template, [item], 64, completion_only=True).rows[0]
    counted = [token for token in row["labels"] if token != -100]
    assert counted == [*template.completions(["woof 0"])[0], template.end_id]
    assert row["input_ids"] == template.encode(item)


def test_packed_examples_never_see_each_other(base: Path, template: ChatTemplate) -> None:
    rows = examples.conversations(template, dialogues(9), 64, completion_only=True).rows
    packed = packing.pack(datasets.Dataset.from_list(rows), 64, seed=1)
    assert len(packed) < len(rows)
    batch = packing.collator(0)([dict(row) for row in packed])
    assert "attention_mask" not in batch
    model: Any = checkpoint.load_policy(base)
    with torch.inference_mode():
        logits = model(
            input_ids=batch["input_ids"], position_ids=batch["position_ids"], use_cache=False
        ).logits
        together = torch.nn.functional.cross_entropy(
            logits[:, :-1].flatten(0, 1), batch["labels"][:, 1:].flatten(), reduction="sum"
        )
        alone = sum(
            model(torch.tensor([row["input_ids"]]), labels=torch.tensor([row["labels"]])).loss
            * sum(label != -100 for label in row["labels"])
            for row in rows
        )
    assert float(together) == pytest.approx(float(alone), rel=1e-5)


@pytest.mark.parametrize("packed", [True, False])
def test_it_learns_and_repeats_bit_for_bit(base: Path, tmp_path: Path, packed: bool) -> None:
    settings = Sft(**{**SETTINGS.__dict__, "packing": packed})
    card = {"kind": "policy", "name": "sft"}
    runs = [
        sft.train(base, dialogues(40), settings, out=tmp_path / name, card=card)
        for name in ("one", "two")
    ]
    assert runs[0] == runs[1]
    shas = {checkpoint.weights_sha(tmp_path / name) for name in ("one", "two")}
    assert len(shas) == 1
    before = sft.held_out(base, dialogues(6), settings)["eval_loss"]
    after = sft.held_out(tmp_path / "one", dialogues(6), settings)["eval_loss"]
    assert after < before - 1


def test_nothing_held_out_gives_no_figure(base: Path) -> None:
    assert sft.held_out(base, [], SETTINGS) == {}
