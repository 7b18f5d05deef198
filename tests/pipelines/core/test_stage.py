"""The stage runner: exit codes, untouched outputs, the lock, edits under a running stage."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from curation.core.errors import UserError
from pipelines.commands import timings
from pipelines.core import stage
from pipelines.core.arguments import Arguments, reads, writes
from pipelines.core.stage import Stage


@pytest.fixture(autouse=True)
def _in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("{}")
    Path("in.txt").write_text("input")


class Args(Arguments):
    given: Path = reads()
    out: Path = writes()


def _run(body: Callable[[Stage, Args], None]) -> int:
    return stage.run("demo", Args, body, ["--given", "in.txt", "--out", "out.txt"])


def test_success_writes_and_summarises(capsys: pytest.CaptureFixture[str]) -> None:
    def body(run: Stage, args: Args) -> None:
        run.outputs.text(args.out, "done")
        run.summary.rows_in, run.summary.kept, run.summary.rejected = 3, 2, 1

    assert _run(body) == 0
    assert Path("out.txt").read_text() == "done"
    assert capsys.readouterr().out.startswith("demo: 3 in, 2 kept, 1 rejected, ")


def test_bad_input_is_one_line_and_two_and_leaves_the_output(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("out.txt").write_text("old")

    def body(run: Stage, args: Args) -> None:
        run.outputs.text(args.out, "half")
        raise UserError("in.txt: line 3 is odd; mend it")

    assert _run(body) == 2
    assert capsys.readouterr().err == "demo: in.txt: line 3 is odd; mend it\n"
    assert Path("out.txt").read_text() == "old"
    assert sorted(path.name for path in Path().glob("*.txt")) == ["in.txt", "out.txt"]


def test_an_input_edited_while_the_stage_runs_is_refused() -> None:
    def body(run: Stage, args: Args) -> None:
        Path("in.txt").write_text("another input")
        run.outputs.text(args.out, "of the old input")

    assert _run(body) == 2
    assert not Path("out.txt").exists()


def test_a_second_run_at_the_same_time_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    inner: list[int] = []

    def body(run: Stage, args: Args) -> None:
        inner.append(_run(lambda again, args: again.outputs.text(args.out, "twice")))
        run.outputs.text(args.out, "once")

    assert _run(body) == 0
    assert inner == [2]
    assert "the same stage is running already" in capsys.readouterr().err
    assert Path("out.txt").read_text() == "once"


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's death signal is Linux's")
def test_a_stage_ends_when_the_process_that_started_it_is_killed(root: Path) -> None:
    child = (
        "import time, pathlib; from pipelines.core import process\n"
        "process.die_with_parent(); pathlib.Path('up').write_text(str(__import__('os').getpid()))\n"
        "time.sleep(600)"
    )
    starter = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    env = {**os.environ, "PYTHONPATH": str(root)}
    parent = subprocess.Popen([sys.executable, "-c", starter], env=env)
    deadline = time.monotonic() + 300
    while not (Path("up").exists() and Path("up").read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    pid = int(Path("up").read_text())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()


def test_timings_keep_the_last_run_of_each_stage(capsys: pytest.CaptureFixture[str]) -> None:
    assert timings.main([]) == 2
    assert capsys.readouterr().err.count("\n") == 1

    def body(run: Stage, args: Args) -> None:
        run.outputs.text(args.out, "done")
        run.summary.rows_in, run.summary.tokens = 3, 4000
        time.sleep(0.2)

    assert _run(body) == _run(body) == 0
    capsys.readouterr()
    assert timings.main(["--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["stage"], found["rows"], found["tokens"]) == ("demo", 3, 4000)
    assert 0.2 <= found["seconds"] < 60
    assert found["cpu_seconds"] > 0
    assert 0.01 < found["peak_gib"] < 64
    assert timings.main([]) == 0
    line = capsys.readouterr().out.splitlines()[-1].split()
    assert line[0] == "demo"
    assert int(line[-1]) == round(4000 / found["seconds"])
