"""Bradley-Terry reward models by TRL's RewardTrainer, stored with reference scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.core.errors import UserError
from training.core import checkpoint, depth, padding, reward_head, vocabulary
from training.core.chat_template import ChatTemplate
from training.core.settings import RewardModel
from training.trainers import arguments, averaging, examples, frozen, lora, replay, resume, run
from training.trainers.examples import Comparison

_SIDES = ("chosen_ids", "rejected_ids")


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
        Metrics: pairs, too_long, tokens, steps, loss; of a head alone also its l2, and the accuracy
        on the folds that it was chosen by; of adapters what merging them changed (merge_drift).

    Raises:
        UserError: `use_margin` is set and a comparison has none, the model has fewer layers than
            are asked for, or what was saved is not read as it was trained.
    """
    tokenizer = checkpoint.load_tokenizer(init)
    fitted = examples.pairs(ChatTemplate(tokenizer), comparisons, settings.max_length)
    rows = [_row(row, settings) for row in fitted.rows]
    with resume.place(settings, init, rows, work) as place:
        job = _Job(name, init, tokenizer, rows, settings, out, place)
        done = _solve(job) if settings.train == "head" else _fit(job)
    return {
        "pairs": len(rows),
        "too_long": fitted.too_long,
        "tokens": sum(len(row["chosen_ids"]) + len(row["rejected_ids"]) for row in rows),
        **done,
    }


@dataclass(frozen=True)
class _Job:
    """One reward model to make of rows that are tokenised."""

    name: str
    init: Path
    tokenizer: Any
    rows: list[dict[str, Any]]
    settings: RewardModel
    out: Path
    place: dict[str, Any]

    @property
    def card(self) -> dict[str, Any]:
        """What the model's card says, but for what only the saved model can tell."""
        read = {"pooling": self.settings.pooling, "layer": self.settings.layer}
        told = {key: value for key, value in read.items() if value not in ("last", None)}
        return {"kind": "reward_model", "name": self.name, **told}


def _fit(job: _Job) -> dict[str, Any]:
    """Gradient steps, on all weights or on the uppermost layers."""
    settings = job.settings
    common = arguments.common(settings, job.place)
    model = with_head(job.init, job.tokenizer, settings)
    if settings.train == "top_k":
        assert settings.top_k is not None
        depth.top(model, settings.top_k, "reward_model.top_k")
    if settings.pooling == "mean":
        averaging.average(model)
    few = replay.few(job.rows)
    weights = lora.trainable(
        settings.lora,
        lambda: with_head(job.init, job.tokenizer, settings),
        _rewards(few, settings.pooling == "mean"),
        "SEQ_CLS",
    )
    trainer = _trainer(common, model, job.tokenizer, job.rows, settings, adapters=weights.config)
    del model  # the trainer's to let go
    replayed = _replayed(replay.watch(trainer, few))
    save = _saved(settings, weights.save)
    done = run.fit(trainer, job.tokenizer, job.out, job.card, replayed, save=save)
    return {"steps": done.steps, "loss": done.loss, **weights.facts}


def _solve(job: _Job) -> dict[str, Any]:
    """The head alone, on features that are computed once."""
    model = with_head(job.init, job.tokenizer, job.settings)
    work = Path(job.place["output_dir"])
    solved, features = frozen.train(model, job.rows, job.settings, work)
    few = replay.few(job.rows)
    at = [next(k for k, row in enumerate(job.rows) if row is one) for one in few]
    scores = (features[:, at].reshape(2 * len(at), -1) @ solved.weights).tolist()
    seen = replay.Seen(few, scores, replay.NEAR[False])
    with checkpoint.folder(job.out) as temp:
        model.save_pretrained(temp)
        job.tokenizer.save_pretrained(temp)  # it is read back before it is finished
        if job.settings.pooling == "mean":
            reward_head.detach(temp)
        checkpoint.finish(temp, job.tokenizer, {**job.card, **_replayed(seen)(temp)})
    chosen = {} if solved.held_out is None else {"l2_accuracy": solved.held_out}
    return {"steps": solved.steps, "loss": solved.loss, "l2": solved.l2, **chosen}


def _replayed(seen: replay.Seen) -> Callable[[Path], dict[str, Any]]:
    return lambda folder: {"reference_scores": replay.reference_scores(folder, seen)}


def _saved(
    settings: RewardModel, write: Callable[[Any, Path], None]
) -> Callable[[Any, Path], None]:
    def save(trainer: Any, target: Path) -> None:
        write(trainer, target)
        trainer.processing_class.save_pretrained(target)  # it is read back before it is finished
        if settings.pooling == "mean":
            reward_head.detach(target)

    return save


def _rewards(pairs: Sequence[Mapping[str, Any]], mean: bool) -> lora.Probe:
    """What a classifier says of the sides of a few pairs."""

    def probe(model: Any) -> list[float]:
        import torch

        sides = [(row[side], row["prompt"]) for row in pairs for side in _SIDES]
        found = []
        with torch.inference_mode():
            for ids, prompt in sides:
                hidden = model.base_model(
                    input_ids=torch.tensor([ids]), use_cache=False
                ).last_hidden_state[0]
                read = hidden[prompt:].mean(0) if mean else hidden[-1]
                found.append(float(model.score(read[None])[0, 0]))
        return found

    return probe


def _trainer(
    common: dict[str, Any],
    model: Any,
    tokenizer: Any,
    rows: list[dict[str, Any]],
    settings: RewardModel,
    *,
    adapters: Any = None,
) -> Any:
    import datasets
    from trl import RewardConfig, RewardTrainer

    mean = settings.pooling == "mean"
    if settings.group_by_length:
        rows = [{**row, "length": _longer(row)} for row in rows]
        common = common | {"train_sampling_strategy": "group_by_length"}
    if settings.group_by_length or mean:  # columns that the model's forward does not name
        common = common | {"remove_unused_columns": False}
    return RewardTrainer(
        model,
        args=RewardConfig(**common),
        train_dataset=datasets.Dataset.from_list(rows),
        processing_class=tokenizer,
        data_collator=averaging.collator(tokenizer.pad_token_id) if mean else None,
        peft_config=adapters,
    )


def _longer(row: dict[str, Any]) -> int:
    """Tokens of the longer side: both are padded to the longest of their batch."""
    return max(len(row["chosen_ids"]), len(row["rejected_ids"]))


def with_head(init: Path, tokenizer: Any, settings: RewardModel) -> Any:
    """The layers of a checkpoint that are read, under a fresh scalar head drawn from the seed.

    Model and tokenizer get a padding token that ends no response: the score is read at the end.
    """
    import torch

    torch.manual_seed(settings.seed)
    model = checkpoint.load_classifier(init, num_labels=1)
    if settings.layer is not None:
        depth.cut(model, settings.layer, "reward_model.layer")
    if (settings.pooling, settings.train) != ("last", "all") and not hasattr(model, "score"):
        raise UserError(
            f"{init}: {type(model).__name__} has no linear head named score; reward_model takes "
            "pooling: last and train: all for it"
        )
    known = vocabulary.of(init, tokenizer, ChatTemplate(tokenizer))
    padding.fit(tokenizer, model, known.ends)
    return model


def _row(row: dict[str, Any], settings: RewardModel) -> dict[str, Any]:
    prompt = row["prompt_ids"]
    result = {
        "chosen_ids": prompt + row["chosen_ids"],
        "rejected_ids": prompt + row["rejected_ids"],
        "prompt": len(prompt),
    }
    if settings.use_margin:
        if row["margin"] is None:
            raise UserError(
                f"reward_model.use_margin: pair {row['key']} has no margin; set it to false or "
                "drop the sets without scores from the mix"
            )
        result["margin"] = row["margin"]
    return result
