"""lm-eval on a checkpoint: each task with its own number of shots, one figure a task."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.core.errors import UserError


@dataclass(frozen=True)
class Task:
    """A task of lm-eval: shots, and the key of its figure in lm-eval's results."""

    shots: int
    metric: str
    runs_code: bool = False


def require() -> None:
    """Raise UserError, with how to mend it, where lm-eval is not installed."""
    if importlib.util.find_spec("lm_eval") is None:
        raise UserError("lm-eval is not installed; pip install 'prefloop[evaluation]'")


def evaluate(
    checkpoint: Path,
    tasks: Mapping[str, Task],
    *,
    seed: int,
    folder: Path | None = None,
    limit: int | None = None,
    chat: bool = False,
    dtype: str = "float32",
    batch: str = "8",
) -> dict[str, dict[str, float]]:
    """Run the tasks one after the other, for their shots differ.

    Args:
        folder: further tasks, as lm-eval's YAML files.
        limit: items per task; all when None.
        chat: ask through the checkpoint's chat template, shots as turns.

    Returns:
        Task -> value and stderr, shares in [0, 1].

    Raises:
        UserError: lm-eval knows no such task, or its results lack the metric.
    """
    require()
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    from training.core.environment import device

    manager = TaskManager(include_path=None if folder is None else str(folder))
    for name in tasks:
        if name not in manager.all_tasks:
            raise UserError(f"{name}: lm-eval has no such task; see lm-eval ls tasks")
    place = str(device())
    model = HFLM(pretrained=str(checkpoint), dtype=dtype, batch_size=batch, device=place)
    common = {
        "model": model,
        "task_manager": manager,
        "limit": limit,
        "apply_chat_template": chat,
        "fewshot_as_multiturn": chat,
        "random_seed": seed,
        "numpy_random_seed": seed,
        "torch_random_seed": seed,
        "fewshot_random_seed": seed,
    }
    return {name: _one(name, task, common) for name, task in tasks.items()}


def _one(name: str, task: Task, common: Mapping[str, Any]) -> dict[str, float]:
    from lm_eval import simple_evaluate

    done = simple_evaluate(
        tasks=[name],
        num_fewshot=task.shots,
        confirm_run_unsafe_code=task.runs_code,
        log_samples=False,
        bootstrap_iters=1000,
        **common,
    )
    return _figure(name, task.metric, done["results"][name])


def _figure(name: str, metric: str, results: Mapping[str, Any]) -> dict[str, float]:
    if metric not in results:
        have = ", ".join(sorted(key for key in results if "," in key and "stderr" not in key))
        raise UserError(f"{name}: lm-eval gives no {metric}; it gives {have}")
    plain, _, form = metric.partition(",")
    spread = results.get(f"{plain}_stderr,{form}")
    stderr = float(spread) if isinstance(spread, int | float) else float("nan")
    return {"value": float(results[metric]), "stderr": stderr}
