"""What every stage shares: one line on bad input, a lock, no orphan, a summary line."""

from __future__ import annotations

import argparse
import ctypes
import errno
import fcntl
import hashlib
import itertools
import json
import os
import re
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import polars as pl

import curation.core.errors
from pipelines.core import code
from pipelines.core.io import Outputs, atomic, forget_torn

WORK = Path(".work")  # ignored by git and DVC: locks, finished shards, timings
TIMINGS = WORK / "timings"
_PR_SET_PDEATHSIG = 1
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass
class Summary:
    """What a stage did, for its last line and its timings: rows in, kept, rejected, tokens."""

    rows_in: int = 0
    kept: int = 0
    rejected: int = 0
    note: str = ""
    tokens: int = 0  # that a model has written, judged or been trained on


@dataclass
class Stage:
    """One run of one stage: its arguments, its staged outputs and its summary."""

    name: str
    args: argparse.Namespace
    module: str  # whose code, imports included, decides the outputs
    outputs: Outputs = field(default_factory=Outputs)
    summary: Summary = field(default_factory=Summary)
    after: list[Callable[[], None]] = field(default_factory=list)  # run once outputs are in place


def run(
    name: str,
    parser: argparse.ArgumentParser,
    body: Callable[[Stage], None],
    argv: Sequence[str] | None = None,
) -> int:
    """Run a stage's body under its lock and return the exit code.

    Bad input (UserError) gives one line on stderr and 2, with every earlier output untouched;
    success renames all outputs into place and prints the summary line.
    """
    args = parser.parse_args(argv)
    _die_with_parent()
    stage = Stage(name, args, _module(body))
    started = time.monotonic()
    try:
        if _rank() > 0:  # it trains beside the process that holds the lock and writes the outputs
            body(stage)
            return 0
        with _locked(name, args):
            forget_torn(_paths(args, args._outputs))
            before = _snapshot(args)
            body(stage)
            _unchanged(before)
            stage.outputs.commit()
            for action in stage.after:
                action()
    except curation.core.errors.UserError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        mend = "; free some disk space and run again" if error.errno in _FULL else ""
        print(f"{name}: {error.filename or ''}: {error.strerror or error}{mend}", file=sys.stderr)
        return 2
    except pl.exceptions.PolarsError as error:
        reason = re.search(r"[\w ]+(?= \(os error \d+\))", str(error))  # what the system said
        if reason is None:
            raise
        print(f"{name}: {reason[0].strip()}; free some disk space and run again", file=sys.stderr)
        return 2
    finally:
        stage.outputs.discard()
    _report(stage, time.monotonic() - started)
    return 0


def _module(body: Callable[[Stage], None]) -> str:
    """The module a stage's body is defined in, also where that runs as a script."""
    while isinstance(body, partial):
        body = body.func
    if body.__module__ != "__main__":
        return body.__module__
    spec = sys.modules["__main__"].__spec__
    if spec is None:
        raise ValueError("run a stage as python -m pipelines.stages.NAME")
    return spec.name


def _rank() -> int:
    """Number of this process among those that `accelerate launch` has started; 0 when alone."""
    return int(os.environ.get("RANK", "0")) if "WORLD_SIZE" in os.environ else 0


def kept_until_done(stage: Stage, purpose: str) -> Path:
    """A work folder of this stage, its outputs and its code that outlives a kill.

    It goes once the outputs are in place, and what other code has left there goes at once.
    """
    outputs = "\n".join(str(path) for path in _paths(stage.args, stage.args._outputs))
    key = hashlib.sha256(outputs.encode()).hexdigest()[:16]
    folder = WORK / purpose / f"{stage.name}-{key}"
    mine = folder / code.sha(stage.module)
    if _rank() == 0 and folder.is_dir():
        for other in folder.iterdir():
            if other != mine:
                shutil.rmtree(other, ignore_errors=True)
    stage.after.append(lambda: shutil.rmtree(folder, ignore_errors=True))
    return mine


def _label(stage: Stage) -> str:
    """The stage's name as the graph has it, such as mix@mix1."""
    of = ("source", "mix", "iteration", "policy_name", "suite", "table_name")
    found = [str(value) for name in of if (value := getattr(stage.args, name, None))]
    return "@".join([stage.name, *found[:1]])


def _report(stage: Stage, seconds: float) -> None:
    done, label = stage.summary, _label(stage)
    note = f", {done.note}" if done.note else ""
    print(
        f"{label}: {done.rows_in} in, {done.kept} kept, {done.rejected} rejected"
        f"{note}, {seconds:.1f} s"
    )
    facts = {
        "stage": label,
        "seconds": round(seconds, 2),
        "cpu_seconds": round(sum(os.times()[:4]), 2),
        "rows": done.rows_in,
        "tokens": done.tokens or None,
    }
    record = TIMINGS / f"{label.replace('/', '_')}.json"
    with suppress(OSError), atomic(record) as temp:  # a stage that is done does not fail for it
        temp.write_text(json.dumps(facts, sort_keys=True) + "\n", "utf-8")


@contextmanager
def _locked(name: str, args: argparse.Namespace) -> Iterator[None]:
    """Hold an exclusive lock named by the stage and its outputs."""
    outs = "\n".join(f"{key}={getattr(args, key)}" for key in args._outputs)
    key = hashlib.sha256(f"{name}\n{outs}".encode()).hexdigest()[:16]
    path = WORK / "locks" / f"{name}-{key}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise curation.core.errors.UserError(
                f"{path}: the same stage is running already; wait for it or stop it"
            ) from error
        yield


def _die_with_parent() -> None:
    """End this process when the shell or the DVC that started it ends: no orphan writes later.

    The kernel's death signal covers the direct parent; DVC starts a shell in between, so a thread
    watches that shell's own parent as well. Linux only; elsewhere the lock file still protects.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    above = [os.getppid()]
    for _ in range(3 if "WORLD_SIZE" in os.environ else 1):  # a launcher adds processes between
        above.append(_parent_of(above[-1]))
    links = [link for link in itertools.pairwise(above) if min(link) > 1]
    if links:
        threading.Thread(target=_watch, args=(links,), daemon=True).start()


def _parent_of(pid: int) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    return int(stat.rpartition(")")[2].split()[1])


def _watch(links: Sequence[tuple[int, int]]) -> None:
    """Wait until one of the processes above has another parent than it had: its own has ended."""
    while all(_parent_of(child) == parent for child, parent in links):
        time.sleep(0.5)
    os._exit(3)


def _paths(args: argparse.Namespace, names: Iterable[str]) -> Iterator[Path]:
    """The paths given by these flags."""
    for name in names:
        value = getattr(args, name)
        for path in value if isinstance(value, list) else [value]:
            if path is not None:
                yield Path(path)


def _snapshot(args: argparse.Namespace) -> dict[Path, tuple[int, int, int]]:
    """Size, time and inode of every input file, to see an edit made while the stage runs."""
    found = {}
    for path in _paths(args, getattr(args, "_inputs", ())):
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file():
                stat = file.stat()
                found[file] = (stat.st_size, stat.st_mtime_ns, stat.st_ino)
    return found


def _unchanged(before: dict[Path, tuple[int, int, int]]) -> None:
    for file, was in before.items():
        now = file.stat() if file.exists() else None
        if now is None or (now.st_size, now.st_mtime_ns, now.st_ino) != was:
            raise curation.core.errors.UserError(
                f"{file}: changed while the stage was reading it; run the stage again"
            )


def parser(
    doc: str | None, inputs: Sequence[str], outputs: Sequence[str]
) -> argparse.ArgumentParser:
    """An argument parser with one required path flag per input and output, and --params.

    Args:
        doc: the module's docstring, shown by --help.
        inputs: names of input paths; a trailing "*" allows several values, "?" makes it optional.
        outputs: names of output paths.
    """
    result = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    names = []
    for name in (*inputs, *outputs):
        plain = name.rstrip("*?")
        result.add_argument(
            f"--{plain.replace('_', '-')}",
            type=Path,
            required=plain == name,
            nargs="+" if name.endswith("*") else None,
            dest=plain,
            metavar="PATH",
        )
        if name in inputs:
            names.append(plain)
    result.add_argument("--params", type=Path, default=Path("params.yaml"), metavar="FILE")
    result.set_defaults(
        _inputs=[*names, "params"], _outputs=[name.rstrip("*?") for name in outputs]
    )
    return result
