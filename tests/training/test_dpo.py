from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from training import checkpoint, dpo, examples, reference_logprobs
from training.chat_template import ChatTemplate
from training.errors import UserError
from training.logprobs import completion_logprobs
from training.settings import Dpo

from .conftest import comparisons

SETTINGS = Dpo(
    epochs=1, learning_rate=1e-3, global_batch=8, per_device_batch=8, max_length=128, seed=3
)


def references(
    path: Path, items: list[Any], budget: int = 100_000
) -> dict[str, tuple[float, float]]:
    template = ChatTemplate(checkpoint.load_tokenizer(path))
    chosen, rejected = reference_logprobs.of_pairs(
        checkpoint.load_policy(path), template, items, budget
    )
    return {item.key: (a, b) for item, a, b in zip(items, chosen, rejected, strict=True)}


def test_logprobs_equal_a_plain_float64_computation(base: Path, template: ChatTemplate) -> None:
    items = comparisons(6)
    found = references(base, items)
    model: Any = checkpoint.load_policy(base).double()
    for item in items:
        prompt = template.encode(item.prompt, True)
        for text, got in zip((item.chosen, item.rejected), found[item.key], strict=True):
            ids = prompt + template.completions([text])[0]
            with torch.inference_mode():
                logps = torch.log_softmax(model(torch.tensor([ids])).logits[0], -1)
            expected = sum(float(logps[k - 1, ids[k]]) for k in range(len(prompt), len(ids)))
            assert got == pytest.approx(expected, abs=1e-5)


def test_logprobs_do_not_depend_on_the_batch(base: Path) -> None:
    items = comparisons(12)
    together, alone = references(base, items), references(base, items, budget=1)
    for key, pair in together.items():
        assert pair == pytest.approx(alone[key], abs=1e-5)


def test_logprobs_equal_trls_own_precomputed_values(base: Path, tmp_path: Path) -> None:
    import datasets
    from trl import DPOConfig, DPOTrainer

    items = comparisons(16)
    stored = references(base, items)
    rows = [
        {
            "prompt": item.prompt,
            "chosen": [{"role": "assistant", "content": item.chosen}],
            "rejected": [{"role": "assistant", "content": item.rejected}],
        }
        for item in items
    ]
    trainer = DPOTrainer(
        checkpoint.load_policy(base),
        ref_model=checkpoint.load_policy(base),
        args=DPOConfig(
            output_dir=str(tmp_path),
            precompute_ref_log_probs=True,
            bf16=False,
            use_cpu=True,
            report_to="none",
            max_length=128,
            gradient_checkpointing=False,
        ),
        train_dataset=datasets.Dataset.from_list(rows),
        processing_class=checkpoint.load_tokenizer(base),
    )
    theirs = trainer.train_dataset
    for item, row in zip(items, theirs, strict=True):
        expected = (row["ref_chosen_logps"], row["ref_rejected_logps"])
        assert stored[item.key] == pytest.approx(expected, abs=1e-5)


def test_training_is_bit_identical_and_moves_the_policy(base: Path, tmp_path: Path) -> None:
    items = comparisons(32)
    known = references(base, items)
    runs = [
        dpo.train("a", base, items, known, SETTINGS, out=tmp_path / name) for name in ("one", "two")
    ]
    assert runs[0] == runs[1]
    for file in sorted((tmp_path / "one").iterdir()):
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes(), file.name
    assert checkpoint.weights_sha(tmp_path / "one") != checkpoint.weights_sha(base)
    assert runs[0]["steps"] == 4
    assert runs[0]["loss"] < math.log(2)
    after = references(tmp_path / "one", items)
    gained = [(after[k][0] - known[k][0]) - (after[k][1] - known[k][1]) for k in known]
    assert sum(gained) > 0


def test_the_loss_is_the_formula_and_no_reference_model_is_loaded(
    base: Path, template: ChatTemplate, tmp_path: Path
) -> None:
    items = comparisons(8)
    known = {key: (a - 0.3, b + 0.2) for key, (a, b) in references(base, items).items()}
    rows = [dpo._row(row, known) for row in examples.pairs(template, items, 128).rows]
    options = {"output_dir": str(tmp_path), "bf16": False, "use_cpu": True, "report_to": "none"}
    trainer = dpo._trainer(
        checkpoint.load_policy(base),
        checkpoint.load_tokenizer(base),
        rows,
        {**options, "gradient_checkpointing": False, **dpo._loss(SETTINGS)},
    )
    assert trainer.ref_model is None
    batch = trainer.data_collator([dict(row) for row in trainer.train_dataset])
    loss = float(trainer._compute_loss(trainer.model, batch, False).detach())
    ours = references(base, items)
    deltas = [(ours[k][0] - known[k][0]) - (ours[k][1] - known[k][1]) for k in ours]
    expected = sum(math.log1p(math.exp(-0.1 * delta)) for delta in deltas) / len(deltas)
    assert loss == pytest.approx(expected, abs=1e-5)


def test_a_pair_without_reference_is_refused(base: Path, tmp_path: Path) -> None:
    items = comparisons(4)
    known = references(base, items[:3])
    with pytest.raises(UserError, match="pair003 has no log-probs"):
        dpo.train("a", base, items, known, SETTINGS, out=tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_overlong_pairs_are_counted(template: ChatTemplate) -> None:
    from training.examples import Comparison

    long = Comparison("long", [{"role": "user", "content": "a " * 200}], "b", "c")
    fitted = examples.pairs(template, [*comparisons(2), long], 100)
    assert (len(fitted.rows), fitted.too_long) == (2, 1)
    with pytest.raises(UserError, match="none of 1 examples"):
        examples.pairs(template, [long], 100)


def test_completion_of_a_truncated_sample_needs_no_end(base: Path) -> None:
    model = checkpoint.load_policy(base)
    whole, part = completion_logprobs(model, [([1, 4], [9, 8, 7]), ([1, 4], [9, 8])], 64)
    assert whole < part < 0
