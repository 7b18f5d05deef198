"""What TRL's trainers share here: running one, and keeping what it made."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from training.core import checkpoint, environment
from training.core.settings import Train
from training.trainers import arguments, resume

T = TypeVar("T")


@dataclass(frozen=True)
class Trained:
    """What a training run reports: optimiser steps and the mean loss over them."""

    steps: int
    loss: float


def fit(
    trainer: Any,
    tokenizer: Any,
    path: Path,
    card: dict[str, Any],
    more: Callable[[Path], dict[str, Any]] = lambda _: {},
    *,
    merge: Callable[[Path, Path], None] | None = None,
) -> Trained:
    """Train, then write the checkpoint whole or not at all.

    `Trainer.save_model` gathers sharded weights, so this also holds under FSDP and DeepSpeed; of
    several processes the first one writes. The trainer goes on from the last whole checkpoint in
    its output folder, where there is one.

    Args:
        card: facts for the card; its name also heads the progress lines.
        more: further facts for the card, computed from the saved model.
        merge: (adapter folder, target) -> None, where only adapters were trained.
    """
    from transformers import PrinterCallback

    trainer.create_model_card = lambda **_: None  # its own checkpoints are for resuming alone
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(arguments.progress(str(card["name"])))
    trainer.add_callback(resume.callback(trainer))
    with checkpoint.writing(Path(trainer.args.output_dir)):
        result = trainer.train(resume_from_checkpoint=_latest(trainer))
    trainer.model.config.use_cache = True  # training switches it off; a policy samples with it
    trainer.accelerator.wait_for_everyone()
    if trainer.is_world_process_zero():
        with checkpoint.folder(path) as temp:
            _save(trainer, temp, merge)
            checkpoint.finish(temp, tokenizer, {**card, **more(temp)})
    else:
        trainer.save_model(str(path))  # hands its shards to the first process, writes nothing
    steps = int(result.global_step)
    return Trained(steps, float(trainer._total_loss_scalar) / max(steps, 1))


def _latest(trainer: Any) -> str | None:
    trainer.accelerator.wait_for_everyone()  # the first process may be removing what is broken
    found = resume.latest(Path(trainer.args.output_dir))
    return None if found is None else str(found)


def _save(trainer: Any, target: Path, merge: Callable[[Path, Path], None] | None) -> None:
    if merge is None:
        trainer.save_model(str(target))
        return
    with tempfile.TemporaryDirectory(dir=target) as adapter:
        trainer.save_model(adapter)
        merge(Path(adapter), target)


def resumable(
    settings: Train,
    start: Path,
    rows: Sequence[Mapping[str, Any]],
    work: Path | None,
    make: Callable[[dict[str, Any]], T],
) -> T:
    """Call `make` with TRL arguments whose output folder outlives a kill.

    The folder is keyed by the checkpoint to start from, the rows to train on, and the settings: by
    all that decides the result.

    Args:
        work: the folder of all runs of one stage, which the caller removes in the end; None for
            scratch that goes at once, without any checkpoint of the trainer's own.
    """
    if work is None:
        with tempfile.TemporaryDirectory(prefix="prefloop-") as scratch:
            return make(arguments.common(settings, Path(scratch)))
    key = resume.key(checkpoint.weights_sha(start), rows, settings)
    folder = resume.prepare(work, key, first=environment.rank() == 0)
    return make(arguments.common(settings, folder) | resume.arguments(settings.save_steps))
