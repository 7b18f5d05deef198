"""prefloop repro: check the recipe, run `dvc repro`, put lost outputs back on failure.

DVC removes a stage's outputs before it runs it. A recipe that cannot work is therefore refused
before DVC starts, and after a failed stage its last good outputs are checked out of the cache.
Each stage that runs has a line: its place, its name, what it took last time, what is left at most;
those that are up to date have none. Every other argument goes to `dvc repro`: targets, -f, -s and
the rest of its flags; with -v or --dry all of DVC's own lines are shown.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue

from pipelines.core.stage import TIMINGS
from pipelines.shared import asking, project
from pipelines.shared.progress import Progress, timings
from pipelines.shared.recipes import IN_PLACE, checked, resolve

TASK = "build"

SETTINGS = {
    "DVC_NO_ANALYTICS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONHASHSEED": "0",
}


def main(argv: Sequence[str]) -> int:
    """Run `dvc repro ARGS` on a recipe that was checked; exit code 2 on bad input or a failure."""
    _, given = asking.parser("repro", __doc__, build=False).parse_known_args(argv)
    if bad := asking.guard("repro", _checked):
        return bad
    env = environment()
    raw = bool({"-v", "--verbose", "--dry", "-q", "--quiet"} & {*given})
    command = ["dvc", "repro", *given]
    code = subprocess.run(command, env=env, check=False).returncode if raw else _shown(command, env)
    if code == 0:
        return 0
    subprocess.run(["dvc", "checkout", "--quiet"], env=env, check=False, stderr=subprocess.DEVNULL)
    print("repro: a stage failed (see above); the last good outputs are in place", file=sys.stderr)
    return 2


def _checked() -> None:
    project.program("dvc")
    checked(IN_PLACE)
    project.stamp(Path())


def _shown(command: Sequence[str], env: Mapping[str, str]) -> int:
    """Run DVC with its lines made ours, and a line now and then while there is none; its code."""
    targets = [one for one in command[2:] if not one.startswith("-")]
    stages = [] if targets else resolve(IN_PLACE)
    progress = Progress(stages, timings(TIMINGS))
    lines: SimpleQueue[str | None] = SimpleQueue()
    process = subprocess.Popen(
        command, env={**env, "PYTHONUNBUFFERED": "1"}, stdout=subprocess.PIPE, text=True
    )
    threading.Thread(target=_read, args=(process, lines), daemon=True).start()
    try:
        _tell(progress, lines)
    except KeyboardInterrupt:
        process.wait()  # it has had the signal too, and puts its own house in order
        raise
    return process.wait()


def _tell(progress: Progress, lines: SimpleQueue[str | None]) -> None:
    """Print what is to be shown until there are no more lines."""
    live = sys.stdout.isatty()
    begun, pause, clear = time.monotonic(), 1.0 if live else 60.0, "\r\x1b[K" if live else ""
    while True:
        try:
            told = lines.get(timeout=pause)
        except Empty:
            waited = progress.waiting(time.monotonic() - begun)
            print(f"{clear}{waited}", end="" if live else "\n", flush=True)
            continue
        if told is None:
            print(clear, end="", flush=True)
            return
        before = progress.running
        if (shown := progress.line(told)) is not None:
            print(f"{clear}{shown}", flush=True)
        if progress.running != before:
            begun = time.monotonic()


def _read(process: subprocess.Popen[str], lines: SimpleQueue[str | None]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line.rstrip("\n"))
    lines.put(None)


def environment() -> dict[str, str]:
    """This environment with the interpreter's folder first on PATH and no telemetry."""
    here = str(Path(sys.executable).parent)
    return {**os.environ, **SETTINGS, "PATH": f"{here}{os.pathsep}{os.environ.get('PATH', '')}"}
