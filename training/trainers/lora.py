"""Low-rank adapters through peft; a finished model holds them merged into its weights.

Merged, because then every consumer loads the checkpoint as it loads any other: both engines, the
reference stage, the next iteration, the hub. In float32, and measured: a model that merging has
changed is not the one that was trained.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from curation.core.errors import UserError
from training.core.settings import Lora

MOST = 0.01  # nats or reward that merging may change; float32 changes a ten-thousandth of it
PROBES, LONGEST = 4, 512  # rows that the drift is measured on, and tokens of each
Probe = Callable[[Any], Sequence[float]]
Task = Literal["CAUSAL_LM", "SEQ_CLS"]


@dataclass(frozen=True)
class Trainable:
    """What of a model trains, and how the whole of it is written.

    Attributes:
        config: peft's, of the adapters; None where every weight trains.
        save: (trainer, target) -> None writes a model that any consumer can load.
        facts: after saving adapters, `merge_drift`: the largest change that merging made to what
            the model says of a few training rows (log-probability of a token, or reward).
    """

    config: Any
    save: Callable[[Any, Path], None]
    facts: dict[str, float] = field(default_factory=dict)


def trainable(
    settings: Lora | None, load: Callable[[], Any], probe: Probe, task: Task = "CAUSAL_LM"
) -> Trainable:
    """Adapters on a model, or all of its weights.

    The adapters' random start follows the trainer's seed. They are merged from disk, so it is the
    same for one process, for many and for sharded training.

    Args:
        load: gives the model that training starts from, in float32; a new head trains with it.
        probe: what a model says of a few rows, to measure what merging changes.
    """
    if settings is None:
        return Trainable(None, lambda trainer, target: trainer.save_model(str(target)))
    from peft import LoraConfig, PeftModel

    facts: dict[str, float] = {}

    def merge(trainer: Any, target: Path) -> None:
        with tempfile.TemporaryDirectory(dir=target) as adapter:
            trainer.save_model(adapter)
            model = PeftModel.from_pretrained(load(), adapter).eval()
        before = probe(model.get_base_model())
        merged = model.merge_and_unload(safe_merge=True)
        facts["merge_drift"] = _drift(before, probe(merged))
        merged.save_pretrained(target)

    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=0.0,
        target_modules=settings.targets,
        task_type=task,
        modules_to_save=["score"] if task == "SEQ_CLS" else None,
    )
    return Trainable(config, merge, facts)


def token_logprobs(items: Sequence[Sequence[int]]) -> Probe:
    """What a causal model says of every token of the shortest items."""
    few = [list(item[:LONGEST]) for item in sorted(items, key=len)[:PROBES]]

    def probe(model: Any) -> list[float]:
        import torch

        found: list[float] = []
        with torch.inference_mode():
            for ids in few:
                row = torch.tensor([ids])
                told = model(input_ids=row, use_cache=False).logits[0, :-1].float().log_softmax(-1)
                found += told.gather(-1, row[0, 1:, None])[:, 0].tolist()
        return found

    return probe


def _drift(before: Sequence[float], after: Sequence[float]) -> float:
    drift = max((abs(a - b) for a, b in zip(before, after, strict=True)), default=0.0)
    if not drift <= MOST:
        raise UserError(
            f"lora: merging the adapters changed a token or a reward by {drift:g}, which "
            f"may be {MOST}; lower lora.alpha or the learning rate, or train without lora"
        )
    return drift
