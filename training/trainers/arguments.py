"""From our settings to the arguments of TRL's trainers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curation.core.errors import UserError
from training.core import environment
from training.core.settings import Train


def common(settings: Train, place: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments that every TRL config takes: repeatable, quiet, no files but ours.

    The global batch is declared; accumulation follows from the devices.

    Args:
        place: where the trainer saves, and when (`resume.place`).
    """
    import torch

    on_gpu = torch.cuda.is_available()
    return {
        **place,
        "num_train_epochs": settings.epochs,
        "learning_rate": settings.learning_rate,
        "per_device_train_batch_size": settings.per_device_batch,
        "gradient_accumulation_steps": accumulation(settings),
        "warmup_steps": settings.warmup,  # below 1 it is a share of all steps
        "lr_scheduler_type": settings.schedule,
        "weight_decay": settings.weight_decay,
        "max_length": settings.max_length,
        "seed": settings.seed,
        "data_seed": settings.seed,
        "bf16": settings.bf16,
        "gradient_checkpointing": settings.gradient_checkpointing,
        "use_cpu": not on_gpu,
        "full_determinism": False,  # environment.prepare has set what it would set
        "report_to": "none",
        "eval_strategy": "no",
        "disable_tqdm": True,
        "logging_steps": 20,
        "logging_nan_inf_filter": False,
        "dataloader_num_workers": 0,
        "dataloader_pin_memory": on_gpu,
        "remove_unused_columns": True,
    }


def accumulation(settings: Train) -> int:
    """Gradient accumulation steps that make up the global batch on all devices.

    Raises:
        UserError: the global batch does not divide by devices x per-device batch.
    """
    world = environment.world()
    at_once = settings.per_device_batch * world
    if settings.global_batch % at_once:
        raise UserError(
            f"global_batch: {settings.global_batch} is not a multiple of per_device_batch "
            f"{settings.per_device_batch} x {world} devices"
        )
    return settings.global_batch // at_once
