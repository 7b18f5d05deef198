"""The frame of every stage: arguments in, outputs whole or not at all, one line at the end."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.core import code, complaints, process
from pipelines.core.arguments import A, Arguments, parse
from pipelines.core.ending import ended
from pipelines.core.outputs import Outputs, atomic, forget_torn
from pipelines.core.recorded import same_code
from pipelines.core.watched import watched

WORK = Path(".work")  # ignored by git and DVC: locks, finished shards, timings
TIMINGS = WORK / "timings"


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
    """One run of one stage: its staged outputs and its summary; its flags stay with its body."""

    name: str
    module: str  # whose code, imports included, decides the outputs
    writes: Sequence[Path] = ()
    argv: Sequence[str] = ()  # the command line, to start the stage again in several processes
    outputs: Outputs = field(default_factory=Outputs)
    summary: Summary = field(default_factory=Summary)
    after: list[Callable[[], None]] = field(default_factory=list)  # run once outputs are in place

    def folder(self, purpose: str) -> Path:
        """The stage's place among those of a purpose, named by what it writes."""
        key = hashlib.sha256("\n".join(map(str, self.writes)).encode()).hexdigest()[:16]
        return WORK / purpose / f"{self.name}-{key}"

    def kept_until_done(self, purpose: str) -> Path:
        """A work folder of this stage and its code that outlives a kill.

        It goes once the outputs are in place, and what other code has left there goes at once.
        """
        folder = self.folder(purpose)
        mine = folder / code.sha(self.module)
        if process.rank() == 0 and folder.is_dir():
            for other in folder.iterdir():
                if other != mine:
                    shutil.rmtree(other, ignore_errors=True)
        self.after.append(lambda: shutil.rmtree(folder, ignore_errors=True))
        return mine


def run(
    name: str,
    kind: type[A],
    body: Callable[[Stage, A], None],
    argv: Sequence[str] | None = None,
) -> int:
    """Run a stage's body under its lock and return the exit code.

    Bad input (UserError) gives one line on stderr and 2, with every earlier output untouched;
    success renames all outputs into place and prints the summary line.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    args = parse(name, kind, words)
    return ended(name, lambda: _run(name, args, body, words))


def _run(name: str, args: A, body: Callable[[Stage, A], None], words: Sequence[str]) -> int:
    process.die_with_parent()
    stage = Stage(name, _module(body), args.outputs(), words)
    started = time.monotonic()
    try:
        if process.rank() > 0:  # it trains beside the process that has the lock and the outputs
            body(stage, args)
            return 0
        _whole(stage, args, body)
    except BrokenPipeError:
        raise  # a file's never is: whoever read our lines has gone
    except complaints.EXPECTED as error:
        line = complaints.line(error)
        if line is None:
            raise
        print(f"{name}: {line}", file=sys.stderr)
        return 2
    finally:
        stage.outputs.discard()
    _report(stage, args, time.monotonic() - started)
    return 0


def _whole(stage: Stage, args: A, body: Callable[[Stage, A], None]) -> None:
    """Run the body under the stage's lock and rename its outputs into place."""
    with process.locked(stage.folder("locks").with_suffix(".lock")):
        same_code(stage.module)
        forget_torn(stage.writes)
        with watched(args.inputs()):
            body(stage, args)
        stage.outputs.commit()
        for action in stage.after:
            action()


def _module(body: Callable[..., None]) -> str:
    """The module a stage's body is defined in, also where that runs as a script."""
    if body.__module__ != "__main__":
        return body.__module__
    spec = sys.modules["__main__"].__spec__
    if spec is None:
        raise ValueError("run a stage as python -m pipelines.stages.NAME")
    return spec.name


def _peak() -> float:
    """Most memory (GiB) that this process held at once, or a process that it started and awaited.

    Linux counts in KiB, macOS in bytes.
    """
    import resource

    both = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    most = max(resource.getrusage(who).ru_maxrss for who in both)
    return most / (2**30 if sys.platform == "darwin" else 2**20)


def _report(stage: Stage, args: Arguments, seconds: float) -> None:
    """Print the last line and keep the timings, under the stage's name in the graph."""
    done = stage.summary
    label = os.environ.get("DVC_STAGE") or args.label(stage.name)  # DVC knows it; by hand: ours
    note = f", {done.note}" if done.note else ""
    print(
        f"{label}: {done.rows_in} in, {done.kept} kept, {done.rejected} rejected"
        f"{note}, {seconds:.1f} s"
    )
    facts = {
        "stage": label,
        "seconds": round(seconds, 2),
        "cpu_seconds": round(sum(os.times()[:4]), 2),
        "peak_gib": round(_peak(), 2),
        "rows": done.rows_in,
        "tokens": done.tokens or None,
    }
    record = TIMINGS / f"{label.replace('/', '_')}.json"
    with suppress(OSError), atomic(record) as temp:  # a stage that is done does not fail for it
        temp.write_text(json.dumps(facts, sort_keys=True) + "\n", "utf-8")
