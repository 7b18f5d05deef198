"""Low-rank adapters through peft; a finished policy holds them merged into its weights.

Merged, because then every consumer loads the checkpoint as it loads any other: both engines, the
reference stage, the next iteration, the hub.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from training.core import checkpoint
from training.core.settings import Lora


def config(settings: Lora) -> Any:
    """peft's configuration; the adapters' random start follows the trainer's seed."""
    from peft import LoraConfig

    return LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=0.0,
        target_modules=settings.targets,
        task_type="CAUSAL_LM",
    )


def merger(start: Path) -> Callable[[Path, Path], None]:
    """A function (adapter folder, target) that writes the start model with the adapters merged.

    It reads both from disk, so it is the same for one process, for many and for sharded training.
    """

    def merge(adapter: Path, target: Path) -> None:
        from peft import PeftModel

        model = PeftModel.from_pretrained(checkpoint.load_policy(start), str(adapter))
        model.merge_and_unload(safe_merge=True).save_pretrained(target)

    return merge
