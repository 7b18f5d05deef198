"""Low-rank adapters through peft; a finished policy holds them merged into its weights.

Merged, because then every consumer loads the checkpoint as it loads any other: both engines, the
reference stage, the next iteration, the hub.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.core import checkpoint
from training.core.settings import Lora


@dataclass(frozen=True)
class Trainable:
    """What of a policy trains, and how the whole of it is written.

    Attributes:
        config: peft's, of the adapters; None where every weight trains.
        save: (trainer, target) -> None writes a model that any consumer can load.
    """

    config: Any
    save: Callable[[Any, Path], None]


def trainable(settings: Lora | None, start: Path) -> Trainable:
    """Adapters on a checkpoint, or all of its weights.

    The adapters' random start follows the trainer's seed. They are merged from disk, so it is the
    same for one process, for many and for sharded training.
    """
    if settings is None:
        return Trainable(None, lambda trainer, target: trainer.save_model(str(target)))
    from peft import LoraConfig, PeftModel

    def merge(trainer: Any, target: Path) -> None:
        with tempfile.TemporaryDirectory(dir=target) as adapter:
            trainer.save_model(adapter)
            model = PeftModel.from_pretrained(checkpoint.load_policy(start), adapter)
            model.merge_and_unload(safe_merge=True).save_pretrained(target)

    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=0.0,
        target_modules=settings.targets,
        task_type="CAUSAL_LM",
    )
    return Trainable(config, merge)
