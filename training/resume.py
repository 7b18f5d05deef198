"""Going on after a kill: the trainer's own checkpoints, of which only whole ones count.

A resumed run ends in the same bits as an uninterrupted one (on the CPU): weights, optimiser,
schedule, random numbers, the order of the data and the figures of the log are all restored.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

_WHOLE = "prefloop.json"  # written last, so a checkpoint that has it is whole


def prepare(folder: Path, key: str, *, first: bool) -> Path:
    """The folder of the runs with this key, without what a kill has torn.

    Args:
        folder: the stage's own; runs of other keys are removed from it, they won't be asked for.
        first: whether this process is the first of its run; only that one removes anything.
    """
    mine = folder / key
    mine.mkdir(parents=True, exist_ok=True)
    if first:
        stale = [path for path in folder.iterdir() if path != mine]
        torn = [path for path in mine.glob("checkpoint-*") if not (path / _WHOLE).is_file()]
        for path in (*stale, *torn):
            shutil.rmtree(path, ignore_errors=True)
    return mine


def latest(folder: Path) -> Path | None:
    """The checkpoint to go on from; None when there is none."""
    whole = [file.parent for file in folder.glob(f"checkpoint-*/{_WHOLE}")]
    return max(whole, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def arguments(save_steps: int) -> dict[str, Any]:
    """TRL arguments: save every so many steps and keep two, as the newest may be torn."""
    return {"save_strategy": "steps", "save_steps": save_steps, "save_total_limit": 2}


def callback(trainer: Any) -> Any:
    """A trainer callback that marks whole checkpoints and restores the sum of the losses."""
    from transformers import TrainerCallback

    class Whole(TrainerCallback):  # type: ignore[misc]
        """Saves where the log is written, so that a resumed log has the same windows."""

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            """Restore what the trainer itself forgets: the sum of the losses so far."""
            start = latest(Path(args.output_dir)) if state.global_step else None
            if start is not None:
                trainer._total_loss_scalar = json.loads((start / _WHOLE).read_text())["loss_sum"]
                if state.is_world_process_zero:
                    print(f"resuming at step {state.global_step}/{state.max_steps}", flush=True)

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            """Log wherever a checkpoint is saved; save none at the end, where the result is."""
            control.should_save = control.should_save and state.global_step < state.max_steps
            control.should_log = control.should_log or control.should_save

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            """Mark the checkpoint as whole once every process has written its part to disk."""
            trainer.accelerator.wait_for_everyone()
            if state.is_world_process_zero:
                path = Path(args.output_dir) / f"checkpoint-{state.global_step}"
                _mark(path, {"loss_sum": trainer._total_loss_scalar})

    return Whole()


def _mark(path: Path, facts: dict[str, Any]) -> None:
    for file in path.rglob("*"):
        _sync(file)
    temp = path / f".{_WHOLE}"
    temp.write_text(json.dumps(facts))
    _sync(temp)
    temp.rename(path / _WHOLE)
    _sync(path)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
