"""Whether a build is what its lock says, and whether what its lock says follows from its inputs.

Three grades. *Differs*: bytes on disk, or what one stage recorded of another's output, are not the
recorded ones. *Derived*: a stage was run again, in a folder of its own, and gave the same bytes.
*Recorded*: the bytes are those that the stage wrote, but a model made them, which nothing cheap can
repeat: sampled text, rewards, weights.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.core.errors import UserError
from curation.publish import lock as locks
from curation.publish.lock import Lock
from pipelines.core import sealed
from pipelines.core.params import text

# Table work and counting alone: the same bytes on every machine, in about a second each.
CHEAP = frozenset(
    {
        *("standardize", "sft_mix", "mix", "prompts", "history", "history_offline"),
        *("pair", "pairs_offline", "gate_source", "gate_prompts", "gate_mix", "gate_sft_mix"),
        *("gate_generations", "gate_scores", "gate_pairs", "gate_history", "gate_reference"),
        *("gate_offline", "gate_evaluation"),
    }
)
Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Fault:
    """Something that is not as recorded: a stage, a path or key, and what is wrong with it."""

    stage: str
    where: str
    why: str


def faults(lock: Lock, params: Path) -> Iterator[Fault]:
    """What differs between the lock, the files, the parameters and the code.

    Every file is read: no cache of hashes by time and size is believed.
    """
    made = {one["path"]: one for entry in lock.stages.values() for one in entry.get("outs", [])}
    seen: dict[str, str | None] = {}
    for name, entry in lock.stages.items():
        for one in entry.get("outs", []):
            yield from _out(lock, name, one, seen)
        for one in entry.get("deps", []):
            yield from _dep(lock, name, one, made, seen)
    yield from _params(lock, params)
    yield from _code(lock)


def _out(lock: Lock, stage: str, one: Entry, seen: dict[str, str | None]) -> Iterator[Fault]:
    found = _hash(lock, one["path"], seen)
    if found is None:
        yield Fault(stage, one["path"], "is not there")
    elif found != one["md5"]:
        yield Fault(stage, one["path"], f"is not what {stage} recorded")
    for file in _tables(lock.path.parent / one["path"]):
        try:
            sealed.whole(file)
        except (UserError, OSError) as error:
            why = str(error).removeprefix(f"{file}: ").partition(";")[0]
            yield Fault(stage, str(file.relative_to(lock.path.parent)), why)


def _dep(
    lock: Lock, stage: str, one: Entry, made: Mapping[str, Entry], seen: dict[str, str | None]
) -> Iterator[Fault]:
    path = one["path"]
    if path in made and made[path]["md5"] != one["md5"]:
        yield Fault(stage, path, "was read in another state than the stage that made it recorded")
    found = _hash(lock, path, seen)
    if found is None:
        yield Fault(stage, path, "is not there, and it was read")
    elif found != one["md5"]:
        yield Fault(stage, path, f"is not what {stage} read")


def _hash(lock: Lock, path: str, seen: dict[str, str | None]) -> str | None:
    """DVC's hash of a path as it is now, each read once; None where it is not there."""
    if path not in seen:
        whole = lock.path.parent / path
        seen[path] = locks.md5(whole, _ignored(whole)) if whole.exists() else None
    return seen[path]


def _ignored(folder: Path) -> Callable[[Path], bool]:
    """Whether DVC leaves a file of a folder out, by the .dvcignore of the folders above it."""
    from pathspec import GitIgnoreSpec

    above = next((one for one in folder.parents if (one / ".dvcignore").is_file()), None)
    if above is None or not folder.is_dir():
        return lambda _: False
    spec = GitIgnoreSpec.from_lines((above / ".dvcignore").read_text("utf-8").splitlines())
    return lambda file: spec.match_file(file.relative_to(above))


def _tables(path: Path) -> list[Path]:
    found = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    return [file for file in found if file.suffix == ".parquet" and file.is_file()]


def _params(lock: Lock, params: Path) -> Iterator[Fault]:
    now = text.read(params).values
    for name in lock.stages:
        for key in locks.unlike(lock, [name], now):
            yield Fault(name, f"{params.name}: {key}", "is not what the stage ran with")


def _code(lock: Lock) -> Iterator[Fault]:
    """Stages that other code than today's made."""
    file = lock.path.parent / locks.CODE
    if not file.is_file():
        return
    now = json.loads(file.read_text("utf-8"))
    for name, entry in lock.stages.items():
        for key, value in entry.get("params", {}).get(locks.CODE, {}).items():
            found: Any = now
            for part in key.split("."):
                found = found.get(part) if isinstance(found, dict) else None
            if found != value:
                yield Fault(name, f"{locks.CODE}: {key}", "is of other code than the stage ran")


def derivable(lock: Lock, also: frozenset[str]) -> list[str]:
    """The stages of the lock that are run again."""
    return [name for name in lock.stages if name.partition("@")[0] in CHEAP | also]


def derive(lock: Lock, stage: str, scratch: Path) -> Iterator[Fault]:
    """Run a stage again into a scratch folder and hold its outputs against the recorded ones."""
    entry = lock.stages[stage]
    root, outs = lock.path.parent, [one["path"] for one in entry.get("outs", [])]
    words = [_moved(word, outs, scratch) for word in shlex.split(entry["cmd"])]
    words[:1] = [sys.executable] if words[0] == "python" else words[:1]
    for path in outs:
        (scratch / path).parent.mkdir(parents=True, exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if name != "DVC_STAGE"}
    done = subprocess.run(
        words, cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        yield Fault(stage, "run again", said)
        return
    for one in entry.get("outs", []):
        again = scratch / one["path"]
        if not again.exists() or locks.md5(again) != one["md5"]:
            yield Fault(stage, one["path"], "does not follow from what the stage reads")


def _moved(word: str, outs: list[str], scratch: Path) -> str:
    inside = any(word == out or word.startswith(f"{out}/") for out in outs)
    return str(scratch / word) if inside else word
