"""The policies that a loop has so far: who trains one writes down its hash and those before it.

DVC can't be told of a list of checkpoints per iteration, so the further policies of
``iterations.NAME.also`` reach it through a file: `generate` depends on the one beside its policy's
history, which changes as soon as the weights of the policy or of any ancestor do.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from curation.core.errors import UserError
from pipelines.core import io, process
from pipelines.core.stage import Stage


def write(run: Stage, file: Path, name: str, checkpoint: Path, before: Path | None = None) -> None:
    """Stage the file of a policy that is trained: its own entry and those of its ancestors.

    Args:
        run: the stage that trained it.
        file: where the entries go.
        name: of the policy.
        checkpoint: its folder, in place already.
        before: the file of the policy it comes after; None for the first.
    """
    if process.rank() > 0:  # the process that writes the outputs has saved the weights
        return
    from training.core.checkpoint import CARD

    sha = io.read_json(checkpoint / CARD)["weights_sha"]  # as it was saved: not hashed anew
    entry = {"path": checkpoint.as_posix(), "sha": sha}
    known: dict[str, Any] = {} if before is None else io.read_json(before)
    run.outputs.json(file, {**known, name: entry})


def find(file: Path | None, name: str, key: str) -> Path:
    """The checkpoint of a policy.

    Args:
        file: as `write` leaves it; None where the command line names none.
        name: of the policy.
        key: of params.yaml that asks for it.

    Raises:
        UserError: the file lacks it, or the weights have changed since it was written.
    """
    from training.core import checkpoint

    if file is None:
        raise UserError(f"{key}: give --policies, the file that the policy's own stage wrote")
    known = io.read_json(file)
    if name not in known:
        raise UserError(f"{file}: has no policy {name}, which {key} names; it has {_list(known)}")
    path = Path(known[name]["path"])
    if not path.is_dir() or checkpoint.weights_sha(path) != known[name]["sha"]:
        raise UserError(f"{path}: is not the checkpoint that {file} was written for; run dvc repro")
    return path


def _list(known: dict[str, Any]) -> str:
    return ", ".join(sorted(known)) or "none"
