"""Going on after a kill: the trainer's own checkpoints, of which only whole ones count.

A whole one is marked by a file with the digests of all others, written last; one that has changed
since, by as little as a bit, is removed and the one before it taken.

A resumed run ends in the same bits as an uninterrupted one (on the CPU): weights, optimiser,
schedule, random numbers, the order of the data and the figures of the log are all restored.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from training.core import checkpoint, environment
from training.core.settings import Train

_WHOLE = "prefloop.json"  # written last: digests of the other files


@contextmanager
def place(
    settings: Train, start: Path, rows: Sequence[Mapping[str, Any]], work: Path | None
) -> Iterator[dict[str, Any]]:
    """TRL arguments of where a trainer saves, and when: a folder that outlives a kill.

    It is keyed by the checkpoint to start from, the rows to train on, and the settings: by all
    that decides the result. Two checkpoints are kept, as the newest may be torn.

    Args:
        work: the folder of all runs of one stage, which the caller removes in the end; None for
            scratch that goes at once, without any checkpoint of the trainer's own.
    """
    if work is None:
        with tempfile.TemporaryDirectory(prefix="prefloop-") as scratch:
            yield {"output_dir": scratch, "save_strategy": "no"}
        return
    mine = key(checkpoint.weights_sha(start), rows, settings)
    folder = prepare(work, mine, first=environment.rank() == 0)
    saving = {"save_strategy": "steps", "save_steps": settings.save_steps, "save_total_limit": 2}
    yield {"output_dir": str(folder), **saving}


def key(start_sha: str, rows: Sequence[Mapping[str, Any]], settings: Train) -> str:
    """Hash (24 hex digits) of all that decides a result: start, rows, settings, versions."""
    facts = {"start": start_sha, "settings": asdict(settings), **environment.arithmetic()}
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for row in rows:
        digest.update(json.dumps(list(row.values())).encode())
    return digest.hexdigest()[:24]


def prepare(folder: Path, key: str, *, first: bool) -> Path:
    """The folder of the runs with this key, without what a kill has torn.

    Args:
        folder: the stage's own; runs of other keys are removed from it, they won't be asked for.
        first: whether this process is the first of its run; only that one removes anything.
    """
    mine = folder / key
    mine.mkdir(parents=True, exist_ok=True)
    if first:
        for path in [path for path in folder.iterdir() if path != mine]:
            _remove(path)
        for path in _newest_first(mine):
            if _facts(path) is not None:
                break  # those before it are not looked at unless it goes
            _remove(path)
    return mine


def latest(folder: Path) -> Path | None:
    """The checkpoint to go on from, of those that `prepare` has left; None when there is none."""
    whole = (path for path in _newest_first(folder) if (path / _WHOLE).is_file())
    return next(whole, None)


def _newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob("checkpoint-*"), key=_step, reverse=True)


def _step(path: Path) -> int:
    step = path.name.rpartition("-")[2]
    return int(step) if step.isdecimal() else -1


def _facts(path: Path) -> dict[str, Any] | None:
    """What a checkpoint's mark says, or None where it has none or its files are others."""
    try:
        facts = json.loads((path / _WHOLE).read_text("utf-8"))
        signed = {key: value for key, value in facts.items() if key != "mark"}
        whole = facts["mark"] == _signature(signed) and facts["files"] == _digests(path)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return facts if whole else None


def _digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file but the mark, by its path below the folder."""
    marks = (_WHOLE, f".{_WHOLE}")
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in marks)
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        found = threads.map(_digest, files)
        return {str(file.relative_to(folder)): one for file, one in zip(files, found, strict=True)}


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _signature(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def begin(trainer: Any) -> str | None:
    """Have a trainer mark its whole checkpoints; the one to go on from, None for a fresh start."""
    trainer.add_callback(callback(trainer))
    found = latest(Path(trainer.args.output_dir))
    return None if found is None else str(found)


def callback(trainer: Any) -> Any:
    """A trainer callback that marks whole checkpoints and restores what the trainer forgets.

    That is the sum of the losses, and the random state that the epoch began with: a sampler
    without a generator of its own, such as that of batches of like lengths, draws the epoch's
    order from it.
    """
    import torch
    from transformers import TrainerCallback

    class Whole(TrainerCallback):  # type: ignore[misc]
        """Saves where the log is written, so that a resumed log has the same windows."""

        began = torch.get_rng_state()

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            """Restore the sum of the losses and the state of the epoch's beginning."""
            start = latest(Path(args.output_dir)) if state.global_step else None
            if start is not None:
                facts = json.loads((start / _WHOLE).read_text())
                trainer._total_loss_scalar = facts["loss_sum"]
                began = bytearray.fromhex(facts["epoch_began"])
                torch.set_rng_state(torch.frombuffer(began, dtype=torch.uint8))
                if state.is_world_process_zero:
                    print(f"resuming at step {state.global_step}/{state.max_steps}", flush=True)

        def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            """Note the state that the order of this epoch is drawn from."""
            self.began = torch.get_rng_state()

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            """Log wherever a checkpoint is saved; save none at the end, where the result is."""
            control.should_save = control.should_save and state.global_step < state.max_steps
            control.should_log = control.should_log or control.should_save

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            """Mark the checkpoint as whole once every process has written its part to disk."""
            trainer.accelerator.wait_for_everyone()
            if state.is_world_process_zero:
                path = Path(args.output_dir) / f"checkpoint-{state.global_step}"
                between = float(state.epoch).is_integer()  # the next epoch begins as it is now
                began = torch.get_rng_state() if between else self.began
                facts = {"epoch_began": began.numpy().tobytes().hex()}
                _mark(path, {"loss_sum": trainer._total_loss_scalar, **facts})

    return Whole()


def _mark(path: Path, facts: dict[str, Any]) -> None:
    for file in path.rglob("*"):
        _sync(file)
    signed = {**facts, "files": _digests(path)}
    temp = path / f".{_WHOLE}"
    temp.write_text(json.dumps({**signed, "mark": _signature(signed)}), "utf-8")
    _sync(temp)
    temp.rename(path / _WHOLE)
    _sync(path)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
