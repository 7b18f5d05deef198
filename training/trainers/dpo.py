"""DPO by TRL's trainer on stored reference log-probabilities: no reference model is loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from curation.core.errors import UserError
from training.core import checkpoint
from training.core.chat_template import ChatTemplate
from training.core.settings import Dpo
from training.trainers import arguments, examples, lora, resume, run
from training.trainers.examples import Comparison
from training.trainers.reference_logprobs import Stored

References = Mapping[str, Stored]


def train(
    start: Path,
    template: ChatTemplate,
    comparisons: Sequence[Comparison],
    references: References,
    settings: Dpo,
    *,
    name: str,
    out: Path,
    work: Path | None = None,
) -> dict[str, Any]:
    """Train a policy on comparisons.

    Args:
        start: checkpoint to start from.
        template: its chat template, by which the references were computed.
        comparisons: the history, in a fixed order; their keys are pair ids.
        references: per key the reference's log-probabilities.
        name: the new policy's name.
        out: folder of the new checkpoint; adapters are merged into its weights.
        work: folder in which the trainer keeps its own checkpoints; a run that was killed goes on
            from the last whole one. None keeps none.

    Returns:
        Metrics: pairs, too_long, tokens, steps, loss, and the implicit reward at the last steps; of
        a mixture of experts also router_loss, which balances them and is trained on beside `loss`;
        of adapters what merging them changed (merge_drift).

    Raises:
        UserError: a comparison has no stored reference.
    """
    fitted = examples.pairs(template, comparisons, settings.max_length)
    rows = [_row(row, references, settings.ld_alpha) for row in fitted.rows]
    loss = _loss(settings)
    with resume.place(settings, start, rows, work) as place:
        options = arguments.common(settings, place) | loss
        probe = lora.token_logprobs([row["prompt_ids"] + row["chosen_ids"] for row in rows])
        weights = lora.trainable(settings.lora, lambda: checkpoint.load_policy(start), probe)
        model = checkpoint.load_policy(start)
        trainer = _trainer(model, template.tokenizer, rows, options, weights.config)
        del model  # the trainer's to let go
        card = {"kind": "policy", "name": name}
        done = run.fit(trainer, template.tokenizer, out, card, save=weights.save)
    router = _router(trainer)
    return {
        "pairs": len(rows),
        "too_long": fitted.too_long,
        "tokens": _tokens(rows),
        "steps": done.steps,
        "loss": done.loss - router.get("router_loss", 0.0),
        **router,
        **_last(trainer.state.log_history),
        **weights.facts,
    }


def _loss(settings: Dpo) -> dict[str, Any]:
    return {
        "beta": settings.beta,
        "loss_type": settings.loss,
        "loss_weights": settings.loss_weights,
        "label_smoothing": settings.label_smoothing,
        "ld_alpha": settings.ld_alpha,
        # The trainer then reads them from the rows; `_no_reference` sees to it everywhere.
        "precompute_ref_log_probs": True,
    }


def _trainer(model: Any, tokenizer: Any, rows: Any, options: dict[str, Any], adapters: Any) -> Any:
    """TRL's DPO on rows that are tokenised already and carry their reference log-probs."""
    import datasets
    from trl import DPOConfig, DPOTrainer

    class StoredReferenceTrainer(DPOTrainer):  # type: ignore[misc]
        """Takes the rows as they come."""

        def _prepare_dataset(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
            return dataset

        def _precompute_ref_logps(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
            return dataset

    with _no_reference():
        return StoredReferenceTrainer(
            model=model,
            args=DPOConfig(**options),
            train_dataset=datasets.Dataset.from_list(rows),
            processing_class=tokenizer,
            peft_config=adapters,
        )


@contextmanager
def _no_reference() -> Iterator[None]:
    """Keep TRL from loading a reference model, and from hashing the policy to name its pass.

    Under FSDP it does the former although references are precomputed: a second copy in float32, in
    every process. Stored references stand in for the pass that both serve.
    """
    from trl.trainer import dpo_trainer

    names = ("create_model_from_path", "hash_module")
    own = {name: getattr(dpo_trainer, name) for name in names}
    for name in names:
        setattr(dpo_trainer, name, lambda *_, **__: None)
    try:
        yield
    finally:
        for name, function in own.items():
            setattr(dpo_trainer, name, function)


def _row(row: dict[str, Any], references: References, ld_alpha: float | None) -> dict[str, Any]:
    if row["key"] not in references:
        raise UserError(
            f"reference: pair {row['key']} has no log-probs under this reference and template; "
            "run the reference stage again"
        )
    chosen, rejected = references[row["key"]].weighed(ld_alpha)
    return {
        "prompt_ids": row["prompt_ids"],
        "chosen_ids": row["chosen_ids"],
        "rejected_ids": row["rejected_ids"],
        "ref_chosen_logps": chosen,
        "ref_rejected_logps": rejected,
    }


def _tokens(rows: Sequence[Mapping[str, Any]]) -> int:
    """Tokens of one pass over the pairs: the prompt goes through the model with either side."""
    return sum(
        2 * len(row["prompt_ids"]) + len(row["chosen_ids"]) + len(row["rejected_ids"])
        for row in rows
    )


def _router(trainer: Any) -> dict[str, float]:
    """The mean of what TRL adds to the loss of a mixture of experts; nothing of another model."""
    total, last = 0.0, 0
    if not trainer.aux_loss_enabled:
        return {}
    for entry in trainer.state.log_history:  # each tells the mean since the one before
        if "aux_loss" in entry:
            total += float(entry["aux_loss"]) * (entry["step"] - last)
            last = entry["step"]
    return {"router_loss": float(trainer.router_aux_loss_coef) * total / max(last, 1)}


def _last(log: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Accuracy and margin of the implicit reward in the last logged steps."""
    logged = [entry for entry in log if "rewards/accuracies" in entry]
    if not logged:
        return {}
    return {
        "accuracy": float(logged[-1]["rewards/accuracies"]),
        "reward_margin": float(logged[-1]["rewards/margins"]),
    }
