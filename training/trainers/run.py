"""What TRL's trainers share here: running one, and keeping what it made."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.core import checkpoint, environment
from training.trainers import resume


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
    save: Callable[[Any, Path], None] = lambda trainer, target: trainer.save_model(str(target)),
) -> Trained:
    """Train, then write the checkpoint whole or not at all.

    `Trainer.save_model` gathers sharded weights, so this also holds under FSDP and DeepSpeed; of
    several processes the first one writes. The trainer goes on from the last whole checkpoint in
    its output folder, where there is one.

    Args:
        card: facts for the card; its name also heads the progress lines.
        more: further facts for the card, computed from the saved model.
        save: (trainer, target) -> None writes the model; see `lora.trainable`.
    """
    from transformers import PrinterCallback

    trainer.create_model_card = lambda **_: None  # its own checkpoints are for resuming alone
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(_progress(str(card["name"])))
    start = resume.begin(trainer)
    with checkpoint.writing(Path(trainer.args.output_dir)):
        result = trainer.train(resume_from_checkpoint=start)
    trainer.model.config.use_cache = True  # training switches it off; a policy samples with it
    trainer.accelerator.wait_for_everyone()
    if trainer.is_world_process_zero():
        with checkpoint.folder(path) as temp:
            save(trainer, temp)
            let_go(trainer)  # more() loads what was saved, and so do those who evaluate it
            checkpoint.finish(temp, tokenizer, {**card, **more(temp)})
    else:
        trainer.save_model(str(path))  # hands its shards to the first process, writes nothing
    steps = int(result.global_step)
    return Trained(steps, float(trainer._total_loss_scalar) / max(steps, 1))


def let_go(trainer: Any) -> None:
    """Give back the memory of the model that a trainer has trained, its gradients and optimiser.

    The log of the run stays. Whoever made the trainer must not hold the model in a name of its own.
    """
    trainer.accelerator.free_memory()
    for holder in (trainer, trainer.callback_handler):
        holder.model = holder.optimizer = holder.lr_scheduler = None
    trainer.model_wrapped = trainer.callback_handler.train_dataloader = None
    gc.collect()
    if environment.device() == "cuda":
        import torch

        torch.cuda.empty_cache()


def _progress(stage: str) -> Any:
    """A trainer callback that prints one plain line per logging step."""
    from transformers import TrainerCallback

    class Lines(TrainerCallback):  # type: ignore[misc]
        """Prints step, loss and accuracy."""

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            """Print the line of one logging step."""
            if state.is_world_process_zero and logs and "loss" in logs:
                shown = [f"loss {float(logs['loss']):.4f}"]
                for key in ("rewards/accuracies", "accuracy", "mean_token_accuracy"):
                    if key in logs:
                        shown.append(f"{key.rpartition('/')[2]} {float(logs[key]):.3f}")
                print(f"{stage}: step {state.global_step}/{state.max_steps} {' '.join(shown)}")
                sys.stdout.flush()

    return Lines()
