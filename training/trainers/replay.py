"""What a reward model must score ever after, and the proof that all its readers score alike.

A trained reward model stores a few scores of its own. They come from a plain forward pass of the
saved folder in another process (`training.judges.plain`), and are stored only if the trainer's own
forward and the engine that will score with the model give the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from curation.core.errors import UserError
from training.core import reward_head
from training.engines import choose
from training.engines.settings import Engine
from training.judges import plain
from training.judges.reward_model import Item, RewardModelJudge

PAIRS = 4
NEAR = {False: 1e-3, True: 0.1}  # of 1 + |score|, without and with bfloat16 in training


class Seen:
    """The trainer's own scores of a few training pairs, as its batches are padded and read.

    Args:
        pairs: chosen_ids, rejected_ids (the prompt's tokens included) and prompt, their number.
        scores: of the chosen sides, then of the rejected ones.
        near: how far a plain forward pass may be off, as a share of 1 + |score|.
    """

    def __init__(
        self, pairs: Sequence[Mapping[str, Any]], scores: Sequence[float], near: float
    ) -> None:
        self.ids = [row[side] for side in ("chosen_ids", "rejected_ids") for row in pairs]
        self.prompts = [row["prompt"] for row in pairs] * 2
        self.scores, self.near = list(scores), near


def watch(trainer: Any, pairs: Sequence[Mapping[str, Any]]) -> Seen:
    """What a trainer will score when training ends, in every process: a sharded model needs all."""
    from transformers import TrainerCallback

    seen = Seen(pairs, [], NEAR[bool(trainer.args.bf16)])

    class AtTheEnd(TrainerCallback):  # type: ignore[misc]
        """Scores the pairs once."""

        def on_train_end(self, *_: Any, **__: Any) -> None:
            """Score them with the trained model."""
            seen.scores = _look(trainer, pairs)

    trainer.add_callback(AtTheEnd())
    return seen


def _look(trainer: Any, pairs: Sequence[Mapping[str, Any]]) -> list[float]:
    """One forward pass over the pairs, collated as the trainer collates them."""
    import torch

    columns = ("chosen_ids", "rejected_ids", "prompt")
    batch = trainer.data_collator([{name: row[name] for name in columns} for row in pairs])
    batch = {key: value.to(trainer.accelerator.device) for key, value in batch.items()}
    trainer.model_wrapped.eval()
    with torch.no_grad():
        logits = trainer.model_wrapped(**batch).logits
    found: list[float] = logits[:, 0].float().tolist()
    return found


def few(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Some rows of different lengths: the shortest, the longest and what lies evenly between."""
    order = sorted(range(len(rows)), key=lambda k: (len(rows[k]["chosen_ids"]), k))
    count = min(PAIRS, len(order))
    return [rows[order[k * (len(order) - 1) // max(1, count - 1)]] for k in range(count)]


def reference_scores(path: Path, seen: Seen) -> list[dict[str, Any]]:
    """Token ids and plain scores, to be stored with the model that was saved at `path`.

    Raises:
        UserError: trainer, plain forward pass and scorer do not agree on them.
    """
    mean = reward_head.pooling(path) == "mean"
    prompts = seen.prompts if mean else None
    scores = plain.apart(path, seen.ids, prompts)["right"]
    agree(path, "the trainer", seen.scores, scores, seen.near)
    own = choose.scorer(Engine(), path).score(seen.ids, prompts)
    agree(path, "the scorer", own, scores, NEAR[False])
    rows = [{"ids": ids, "score": score} for ids, score in zip(seen.ids, scores, strict=True)]
    return [row | {"prompt": n} for row, n in zip(rows, prompts, strict=True)] if prompts else rows


def hold(judge: RewardModelJudge, path: Path, items: Sequence[Item]) -> None:
    """Hold a judge's rewards to a plain forward pass of its checkpoint, with padding.

    Raises:
        UserError: they differ.
    """
    rows = [
        (ids, prompt, verdict.reward)
        for ids, prompt, verdict in zip(*judge.encode(items), judge.judge(items), strict=True)
        if verdict.reward is not None
    ]
    ids, prompts = [row[0] for row in rows], [row[1] for row in rows]
    plainly = plain.scores(path, ids, prompts=prompts)["right"]
    agree(path, "the judge", [reward for *_, reward in rows], plainly, NEAR[False])


def agree(
    path: Path, who: str, scores: Sequence[float], plainly: Sequence[float], near: float
) -> None:
    """Hold scores to those of a plain forward pass.

    Raises:
        UserError: one of them is further off than `near` of its size.
    """
    for score, want in zip(scores, plainly, strict=True):
        if not abs(score - want) <= near * (1 + abs(want)):
            raise UserError(
                f"{path}: {who} gives {score:.6f} where a plain forward pass of the saved model "
                f"gives {want:.6f} (tolerance {near}); they do not read the same token or model"
            )
