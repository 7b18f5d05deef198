"""Stages as forks of one process that has imported the model libraries once.

Starting a stage costs seconds of imports; a fork costs none, so a test can kill many of them. Each
fork runs the stage's own `main`, in a session and a folder of its own.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path


class Server:
    """The process that forks; `start` gives the stage's pid, `wait` its exit status."""

    def __init__(self, root: Path, folder: Path, modules: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__)), *modules],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._answer() == 0  # its imports are done

    def run(
        self,
        module: str,
        argv: Sequence[str],
        log: Path,
        *,
        kill_after: float | None = None,
        kill_when: str | None = None,
        file_limit: int | None = None,
    ) -> int:
        """Run a stage; its exit status, negative where a signal ended it.

        Args:
            log: what the stage prints.
            kill_after: seconds until it is killed, unless it has ended by then.
            kill_when: it is killed as soon as it has printed this.
            file_limit: bytes that no file may outgrow, as on a full disk.
        """
        assert self._process.stdin is not None
        asked = [module, list(argv), str(log), kill_after, kill_when, file_limit]
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """End the server."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)

    def _answer(self) -> int:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the server has ended"
        return int(line)


def _serve(modules: Sequence[str]) -> None:
    from training.core import environment

    environment.prepare()
    import datasets  # noqa: F401
    import peft  # noqa: F401
    from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: F401
    from trl import DPOConfig, DPOTrainer  # noqa: F401

    mains = {name: importlib.import_module(name).main for name in modules}
    print(0, flush=True)
    for line in sys.stdin:
        Path(json.loads(line)[2]).unlink(missing_ok=True)
        module, argv, log, kill_after, kill_when, file_limit = json.loads(line)
        pid = os.fork()
        if pid == 0:
            if file_limit is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, resource.RLIM_INFINITY))
            _child(mains[module], argv, log)
        if kill_when is not None:
            _await(Path(log), kill_when)
        if kill_after is not None or kill_when is not None:
            time.sleep(kill_after or 0)
            os.kill(pid, signal.SIGKILL)  # not reaped yet, so the pid is still its own
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def _await(log: Path, text: str) -> None:
    """Wait, a minute at most, until the log holds the text."""
    for _ in range(6000):
        if log.is_file() and text in log.read_text():
            return
        time.sleep(0.01)


def _child(main: object, argv: list[str], log: str) -> None:
    code = 70
    try:
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        code = main(argv)  # type: ignore[operator]
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve(sys.argv[1:])
