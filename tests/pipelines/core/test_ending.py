"""Ctrl-C, a reader that goes away and a terminal of ASCII: a line and a code, never a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from curation.core.errors import UserError
from pipelines.core import stage
from pipelines.core.arguments import Arguments, writes
from pipelines.core.ending import ended
from pipelines.core.stage import Stage

WAITS = """
import sys, time
from pipelines.shared import asking

def body():
    print("begun", flush=True)
    time.sleep(60)

sys.exit(asking.guard("waits", body))
"""
PRINTS = """
import sys
from pipelines.shared import asking

def body():
    for n in range({lines}):
        print({text!r})

sys.exit(asking.guard("prints", body))
"""


def start(*argv: str, **more: str) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": str(Path.cwd()), **more}
    return subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
    )


def script(folder: Path, text: str) -> str:
    file = folder / "script.py"
    file.write_text(text, "utf-8")
    return str(file)


class Args(Arguments):
    out: Path = writes()


def test_ctrl_c_in_a_stage_is_one_line_and_130(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def body(run: Stage, args: Args) -> None:
        run.outputs.text(args.out, "half")
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)

    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("{}")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's & ignores it
    try:
        assert stage.run("waits", Args, body, ["--out", "out.txt"]) == 130
    finally:
        signal.signal(signal.SIGINT, before)
    assert capsys.readouterr().err == "waits: interrupted\n"
    assert not list(tmp_path.glob("*out*"))


def test_ctrl_c_in_a_command_is_one_line_and_130(tmp_path: Path) -> None:
    run = start(sys.executable, script(tmp_path, WAITS))
    assert run.stdout is not None
    assert run.stdout.readline() == "begun\n"
    run.send_signal(signal.SIGINT)
    _, told = run.communicate(timeout=30)
    assert (run.returncode, told) == (130, "waits: interrupted\n")


@pytest.mark.parametrize("lines", [3, 100_000])
def test_a_reader_that_has_gone_is_no_traceback(tmp_path: Path, lines: int) -> None:
    file = script(tmp_path, PRINTS.format(lines=lines, text="row"))
    run = start("sh", "-c", f"{sys.executable} {file} | true; sleep 1")
    _, told = run.communicate(timeout=60)
    assert told == ""


def test_a_terminal_of_ascii_shows_escapes(tmp_path: Path) -> None:
    file = script(tmp_path, PRINTS.format(lines=1, text="caf\u00e9 \u2026 \U0001f600"))
    run = start(sys.executable, file, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    said, told = run.communicate(timeout=30)
    assert (run.returncode, told) == (0, "")
    assert said.startswith("caf\\xe9 ")
    assert said.endswith("\\U0001f600\n")


def test_an_error_that_quotes_a_terminal_command_shows_it() -> None:
    hostile = "x\x1b[2Jy\nz\u202eq"
    assert str(UserError(hostile)) == "x\\x1b[2Jy\\nz\\u202eq"


def test_the_code_of_the_body_is_the_code() -> None:
    assert ended("x", lambda: 2) == 2
