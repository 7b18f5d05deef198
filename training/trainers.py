"""What TRL's trainers share here: running one, and keeping what it made."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training import arguments, checkpoint
from training.settings import Train


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
) -> Trained:
    """Train, then write the checkpoint whole or not at all.

    `Trainer.save_model` gathers sharded weights, so this also holds under FSDP and DeepSpeed.

    Args:
        card: facts for the card; its name also heads the progress lines.
        more: further facts for the card, computed from the saved model.
    """
    from transformers import PrinterCallback

    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(arguments.progress(str(card["name"])))
    result = trainer.train()
    trainer.model.config.use_cache = True  # training switches it off; a policy samples with it
    trainer.accelerator.wait_for_everyone()
    with checkpoint.folder(path) as temp:
        trainer.save_model(str(temp))
        checkpoint.finish(temp, tokenizer, {**card, **more(temp)})
    return Trained(int(result.global_step), float(result.training_loss))


def in_scratch(settings: Train, make: Callable[[dict[str, Any]], Trained]) -> Trained:
    """Call `make` with TRL arguments whose output folder is scratch and is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="prefloop-") as work:
        return make(arguments.common(settings, Path(work)))
