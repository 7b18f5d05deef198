from __future__ import annotations

import math
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks import architectures
from curation.core.errors import UserError
from tests.models import comparisons
from tests.training.plain import Llama
from training.core import checkpoint
from training.core.chat_template import ChatTemplate
from training.core.settings import Dpo, Lora
from training.engines.logprobs import completion_logprobs
from training.trainers import arguments, dpo, examples, reference_logprobs
from training.trainers.reference_logprobs import Stored

SETTINGS = Dpo(
    epochs=1, learning_rate=1e-3, global_batch=8, per_device_batch=8, max_length=128, seed=3
)


def references(
    path: Path, items: list[Any], budget: int = 100_000, bf16: bool = False
) -> dict[str, Stored]:
    template = spoken(path)
    model = checkpoint.load_policy(path)
    stored = reference_logprobs.of_pairs(model, template, items, budget, bf16=bf16)
    return {item.key: one for item, one in zip(items, stored, strict=True)}


def spoken(path: Path) -> ChatTemplate:
    return ChatTemplate(checkpoint.load_tokenizer(path))


def trained(start: Path, items: Any, known: Any, settings: Dpo, out: Path) -> dict[str, Any]:
    return dpo.train(start, spoken(start), items, known, settings, name="a", out=out)


def test_logprobs_equal_a_plain_float64_computation(base: Path, template: ChatTemplate) -> None:
    items = comparisons(6)
    found = references(base, items)
    model = Llama.load(base)
    for item in items:
        prompt = template.encode(item.prompt, True)
        sides = template.completions([item.chosen, item.rejected])
        shared = min(map(len, sides))
        chosen, rejected = (model.logprobs(prompt, side) for side in sides)
        heads = chosen[:shared].sum(), rejected[:shared].sum()
        tokens = 2 * len(prompt) + sum(map(len, sides))
        stored = Stored(chosen.sum(), rejected.sum(), *heads, tokens)
        assert astuple(found[item.key]) == pytest.approx(astuple(stored), abs=1e-5)


def test_logprobs_do_not_depend_on_the_batch(base: Path) -> None:
    items = comparisons(12)
    together, alone = references(base, items), references(base, items, budget=1)
    for key, pair in together.items():
        assert astuple(pair) == pytest.approx(astuple(alone[key]), abs=1e-5)


def trl_rows(items: list[Any]) -> Any:
    """The comparisons as TRL's own preprocessing takes them."""
    import datasets

    answer = [{"role": "assistant", "content": ""}]
    rows = [
        {
            "prompt": item.prompt,
            "chosen": [answer[0] | {"content": item.chosen}],
            "rejected": [answer[0] | {"content": item.rejected}],
        }
        for item in items
    ]
    return datasets.Dataset.from_list(rows)


@pytest.mark.parametrize(("ld_alpha", "bf16"), [(None, False), (0.4, False), (None, True)])
def test_logprobs_equal_trls_own_precomputed_values(
    ld_alpha: float | None, bf16: bool, base: Path, tmp_path: Path
) -> None:
    from trl import DPOConfig, DPOTrainer

    items = comparisons(16)
    stored = references(base, items, bf16=bf16)
    trainer = DPOTrainer(
        checkpoint.load_policy(base),
        ref_model=checkpoint.load_policy(base),
        args=DPOConfig(
            output_dir=str(tmp_path),
            precompute_ref_log_probs=True,
            ld_alpha=ld_alpha,
            bf16=bf16,
            use_cpu=True,
            report_to="none",
            max_length=128,
            gradient_checkpointing=False,
        ),
        train_dataset=trl_rows(items),
        processing_class=checkpoint.load_tokenizer(base),
    )
    plain = references(base, items)
    for item, row in zip(items, trainer.train_dataset, strict=True):
        expected = (row["ref_chosen_logps"], row["ref_rejected_logps"])
        near = 1e-5 if not bf16 else 1e-3
        assert stored[item.key].weighed(ld_alpha) == pytest.approx(expected, abs=near)
        if bf16:  # what float32 references would have been taken for
            assert plain[item.key].weighed(ld_alpha) != pytest.approx(expected, abs=near)


def test_stored_references_train_the_policy_that_references_in_training_do(
    base: Path, tmp_path: Path
) -> None:
    from trl import DPOConfig, DPOTrainer

    items = comparisons(16)
    trained(base, items, references(base, items), SETTINGS, out=tmp_path / "stored")
    options = arguments.common(
        SETTINGS, {"output_dir": str(tmp_path / "work"), "save_strategy": "no"}
    ) | {"beta": SETTINGS.beta}
    trainer = DPOTrainer(
        checkpoint.load_policy(base),
        ref_model=checkpoint.load_policy(base),
        args=DPOConfig(**options),
        train_dataset=trl_rows(items),
        processing_class=checkpoint.load_tokenizer(base),
    )
    trainer.train()
    start, stored = weights(base), weights(tmp_path / "stored")
    for name, tensor in trainer.model.state_dict().items():
        if name in stored:
            assert torch.allclose(tensor, stored[name], rtol=0, atol=1e-5), name
    assert any(not torch.allclose(start[name], stored[name], atol=1e-4) for name in start)


def weights(path: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return dict(load_file(path / "model.safetensors"))


def test_training_is_bit_identical_and_moves_the_policy(base: Path, tmp_path: Path) -> None:
    items = comparisons(32)
    known = references(base, items)
    runs = [trained(base, items, known, SETTINGS, out=tmp_path / name) for name in ("one", "two")]
    assert runs[0] == runs[1]
    for file in sorted((tmp_path / "one").iterdir()):
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes(), file.name
    assert checkpoint.weights_sha(tmp_path / "one") != checkpoint.weights_sha(base)
    assert runs[0]["steps"] == 4
    assert runs[0]["loss"] < math.log(2)
    after = references(tmp_path / "one", items)
    assert sum(margin(after[k], known[k]) for k in known) > 0


def margin(policy: Stored, reference: Stored) -> float:
    """The implicit reward's margin over beta."""
    return (policy.chosen - reference.chosen) - (policy.rejected - reference.rejected)


def test_adapters_are_merged_into_a_plain_checkpoint(base: Path, tmp_path: Path) -> None:
    items = comparisons(16)
    known = references(base, items)
    settings = replace(SETTINGS, lora=Lora(rank=4, alpha=8), learning_rate=1e-2)
    runs = [trained(base, items, known, settings, out=tmp_path / x) for x in ("one", "two")]
    assert runs[0] == runs[1]
    assert 0 <= runs[0]["merge_drift"] < 1e-3
    assert checkpoint.weights_sha(tmp_path / "one") == checkpoint.weights_sha(tmp_path / "two")
    assert not list((tmp_path / "one").glob("**/adapter*"))
    start, merged = weights(base), weights(tmp_path / "one")
    assert set(start) == set(merged)
    for name, tensor in start.items():
        moved = merged[name] - tensor
        if "_proj" in name:
            assert torch.linalg.matrix_rank(moved, rtol=1e-3) <= 4, name
        else:
            assert not moved.any(), name
    after = references(tmp_path / "one", items)
    assert sum(margin(after[k], known[k]) for k in known) > 0


def test_what_balances_experts_is_told_apart_from_the_loss(base: Path, tmp_path: Path) -> None:
    tokenizer = checkpoint.load_tokenizer(base)
    model = architectures.random_model("qwen3_moe", tokenizer, router_aux_loss_coef=0.01)
    checkpoint.save(tmp_path / "moe", model, tokenizer, {"kind": "base"})
    items, settings = comparisons(8), replace(SETTINGS, per_device_batch=2)
    known = references(tmp_path / "moe", items)
    told = trained(tmp_path / "moe", items, known, settings, tmp_path / "out")
    assert (told["steps"], told["loss"]) == (1, pytest.approx(math.log(2), abs=1e-5))
    assert told["router_loss"] == pytest.approx(0.01 * 2, rel=0.3)  # 2 of 4 experts a token
    dense = trained(base, items, references(base, items), settings, tmp_path / "dense")
    assert "router_loss" not in dense


def test_a_pair_without_reference_is_refused(base: Path, tmp_path: Path) -> None:
    items = comparisons(4)
    known = references(base, items[:3])
    with pytest.raises(UserError, match="pair003 has no log-probs"):
        trained(base, items, known, SETTINGS, out=tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_overlong_pairs_are_counted(template: ChatTemplate) -> None:
    from training.trainers.examples import Comparison

    long = Comparison("long", [{"role": "user", "content": "a " * 200}], "b", "c")
    fitted = examples.pairs(template, [*comparisons(2), long], 100)
    assert (len(fitted.rows), fitted.too_long) == (2, 1)
    with pytest.raises(UserError, match="none of 1 examples"):
        examples.pairs(template, [long], 100)


def test_completion_of_a_truncated_sample_needs_no_end(base: Path) -> None:
    model = checkpoint.load_policy(base)
    whole, part = completion_logprobs(model, [([1, 4], [9, 8, 7]), ([1, 4], [9, 8])], 64)
    assert whole < part < 0


def test_no_reference_model_is_loaded_under_fsdp(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TRL would: a second copy of an 8B policy in float32, in every process."""
    import transformers
    from trl.trainer import dpo_trainer

    made = transformers.Trainer.create_accelerator_and_postprocess

    def sharded(self: Any) -> None:
        made(self)
        self.is_fsdp_enabled = True

    monkeypatch.setattr(transformers.Trainer, "create_accelerator_and_postprocess", sharded)
    loads = dpo_trainer.create_model_from_path
    items = comparisons(8)
    stored = references(base, items)
    tokenizer = checkpoint.load_tokenizer(base)
    fitted = examples.pairs(ChatTemplate(tokenizer), items, 128)
    rows = [dpo._row(row, stored, None) for row in fitted.rows]
    place = {"output_dir": str(tmp_path), "save_strategy": "no"}
    options = arguments.common(SETTINGS, place) | dpo._loss(SETTINGS)
    trainer = dpo._trainer(checkpoint.load_policy(base), tokenizer, rows, options, None)
    assert trainer.is_fsdp_enabled
    assert trainer.ref_model is None
    assert dpo_trainer.create_model_from_path is loads
