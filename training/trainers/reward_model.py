"""Bradley-Terry reward models by TRL's RewardTrainer, stored with reference scores."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from curation.core.errors import UserError
from training.core import checkpoint, padding, vocabulary
from training.core.chat_template import ChatTemplate
from training.core.settings import RewardModel
from training.trainers import arguments, examples, replay, resume, run
from training.trainers.examples import Comparison


def train(
    name: str,
    init: Path,
    comparisons: Sequence[Comparison],
    settings: RewardModel,
    *,
    out: Path,
    work: Path | None = None,
) -> dict[str, Any]:
    """Train a reward model with a new linear head on comparisons.

    Args:
        name: the judge's name, as stored in scores (reward_model/MIX).
        init: checkpoint whose backbone it starts from.
        work: folder of the trainer's own checkpoints, to go on after a kill; None keeps none.

    Returns:
        Metrics: pairs, too_long, tokens, steps, loss.

    Raises:
        UserError: `use_margin` is set and a comparison has none.
    """
    tokenizer = checkpoint.load_tokenizer(init)
    fitted = examples.pairs(ChatTemplate(tokenizer), comparisons, settings.max_length)
    rows = [_row(row, settings.use_margin) for row in fitted.rows]

    with resume.place(settings, init, rows, work) as place:
        common = arguments.common(settings, place)
        model = _with_head(init, tokenizer, settings.seed)
        trainer = _trainer(common, model, tokenizer, rows, settings.group_by_length)
        seen = replay.Seen(trainer, replay.few(rows))
        trainer.add_callback(seen.callback())
        done = run.fit(
            trainer,
            tokenizer,
            out,
            {"kind": "reward_model", "name": name},
            lambda folder: {"reference_scores": replay.reference_scores(folder, seen)},
        )

    return {
        "pairs": len(rows),
        "too_long": fitted.too_long,
        "tokens": sum(len(row["chosen_ids"]) + len(row["rejected_ids"]) for row in rows),
        "steps": done.steps,
        "loss": done.loss,
    }


def _trainer(
    common: dict[str, Any], model: Any, tokenizer: Any, rows: list[dict[str, Any]], grouped: bool
) -> Any:
    import datasets
    from trl import RewardConfig, RewardTrainer

    if grouped:  # the lengths' column must outlive the trainer's removal of unused ones
        rows = [{**row, "length": _longer(row)} for row in rows]
        grouping = {"train_sampling_strategy": "group_by_length", "remove_unused_columns": False}
        common = common | grouping
    return RewardTrainer(
        model,
        args=RewardConfig(**common),
        train_dataset=datasets.Dataset.from_list(rows),
        processing_class=tokenizer,
    )


def _longer(row: dict[str, Any]) -> int:
    """Tokens of the longer side: both are padded to the longest of their batch."""
    return max(len(row["chosen_ids"]), len(row["rejected_ids"]))


def _with_head(init: Path, tokenizer: Any, seed: int) -> Any:
    """The backbone of a checkpoint under a fresh scalar head, drawn from the seed.

    Model and tokenizer get a padding token that ends no response: the score is read at the end.
    """
    import torch

    torch.manual_seed(seed)
    model = checkpoint.load_classifier(init, num_labels=1)
    known = vocabulary.of(init, tokenizer, ChatTemplate(tokenizer))
    padding.fit(tokenizer, model, known.ends)
    return model


def _row(row: dict[str, Any], use_margin: bool) -> dict[str, Any]:
    prompt = row["prompt_ids"]
    result = {
        "chosen_ids": prompt + row["chosen_ids"],
        "rejected_ids": prompt + row["rejected_ids"],
    }
    if use_margin:
        if row["margin"] is None:
            raise UserError(
                f"reward_model.use_margin: pair {row['key']} has no margin; set it to false or "
                "drop the sets without scores from the mix"
            )
        result["margin"] = row["margin"]
    return result
