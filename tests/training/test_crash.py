"""generate, score and dpo killed at random moments, on a full disk, and two at once.

Each is the real stage in its own process; only the import of the model libraries is shared.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import polars as pl
import pytest
import yaml

from curation import ids, schema
from pipelines.core.io import Outputs

from .stages import history

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the starter forks, which is safe on Linux"),
]
STAGES = ("generate", "score", "dpo")
SHARDS = 12
KILLS = 7  # of each stage, after which it is left alone
OUTPUTS = {
    "generate": ("generate.parquet", "rejects.parquet", "generate.json"),
    "score": ("score.parquet", "score.json"),
    "reference": ("reference.parquet", "reference.json"),
    "dpo": ("checkpoint", "dpo.json"),
}
INPUTS = {
    "generate": {"policy": "policy", "prompts": "prompts.parquet"},
    "score": {
        "judge": "judge",
        "generations": "whole/generate.parquet",
        "prompts": "prompts.parquet",
    },
    "reference": {
        "sft": "policy",
        "policy": "policy",
        "history": "history.parquet",
        "previous": "none.parquet",
    },
    "dpo": {
        "sft": "policy",
        "policy": "policy",
        "history": "history.parquet",
        "reference": "whole/reference.parquet",
    },
}


def pool(count: int) -> pl.DataFrame:
    messages = [[{"role": "user", "content": f"question {k}?"}] for k in range(count)]
    frame = pl.DataFrame({"messages": messages}, schema={"messages": schema.MESSAGES})
    return frame.with_columns(
        prompt_id=ids.prompt_id(pl.col("messages")),
        source=pl.lit("made"),
        source_row=pl.lit("0"),
        n_chars=pl.lit(1),
        n_tokens=pl.lit(1),
        license=pl.lit("none"),
        bucket=pl.lit(0.05),
        split=pl.lit("train"),
        map_x=pl.lit(0.0),
        map_y=pl.lit(0.0),
        cluster=pl.lit(0),
    )


class Starter:
    """A process that starts stages at once, the model libraries being imported already."""

    def __init__(self, root: Path, home: Path) -> None:
        self._home, self._said = home, home / "said.txt"
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("starter.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"},
        )
        self.loaded: list[str] = json.loads(self._line())["loaded"]

    def start(self, stage: str, out: Path) -> int:
        """Start a stage in `out`, its outputs going there; returns the process id."""
        out.mkdir(exist_ok=True)
        asked = {"argv": argv(stage, self._home), "cwd": str(out), "said": str(self._said)}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return int(self._line())

    def finish(self) -> tuple[int, str]:
        """Wait for the stage's end: exit status, and what it said."""
        return int(self._line()), self._said.read_text()

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


def argv(stage: str, home: Path) -> list[str]:
    flags = {name: str(home / path) for name, path in INPUTS[stage].items()}
    names = {f"{stage}.parquet": "table", f"{stage}.json": "metrics"}
    flags |= {names.get(path, path.partition(".")[0]): path for path in OUTPUTS[stage]}
    flags |= {"iteration": "iter1", "params": str(home / "params.yaml")}
    return [f"pipelines.{stage}", *(word for k, v in flags.items() for word in (f"--{k}", v))]


@pytest.fixture(scope="module")
def home(
    root: Path, base: Path, reward_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with the inputs of all stages, of many small shards."""
    folder = tmp_path_factory.mktemp("crash")
    (folder / "policy").symlink_to(base)
    (folder / "judge").symlink_to(reward_model)
    recipe = yaml.safe_load((root / "recipes/sample.yaml").read_text("utf-8"))
    recipe["engine"]["shard_prompts"] = 2
    recipe["iterations"]["iter1"] |= {"prompts": [0.0, 0.1], "n": 4, "max_new_tokens": 12}
    recipe["iterations"]["iter1"].pop("limit", None)
    recipe["dpo"] |= {"global_batch": 8, "per_device_batch": 4, "save_steps": 1}
    (folder / "params.yaml").write_text(yaml.safe_dump(recipe), "utf-8")
    outputs = Outputs()
    outputs.table(folder / "prompts.parquet", schema.PROMPTS, pool(SHARDS * 2))
    outputs.table(folder / "history.parquet", schema.HISTORY, history(64))
    outputs.table(folder / "none.parquet", schema.REFERENCE, schema.REFERENCE.empty())
    outputs.commit()
    return folder


@pytest.fixture(scope="module")
def starter(root: Path, home: Path) -> Iterator[Starter]:
    """A starter, and the outputs of uninterrupted runs in the folder whole."""
    made = Starter(root, home)
    for stage in OUTPUTS:
        made.start(stage, home / "whole")
        status, said = made.finish()
        assert status == 0, said
        if stage in ("generate", "score"):
            assert said.count("shard") == SHARDS
    yield made
    made.close()


def test_model_stages_import_nothing_that_they_do_not_need(starter: Starter) -> None:
    assert starter.loaded == []


def done(stage: str, out: Path) -> set[int]:
    """Numbers of the shards, or steps of the trainer's checkpoints, that are whole on disk."""
    if stage == "dpo":
        whole = out.glob(".work/training/*/*/*/checkpoint-*/prefloop.json")
        return {int(file.parent.name.rpartition("-")[2]) for file in whole}
    return {int(file.stem) + 1 for file in out.glob(".work/shards/*/*/*/[0-9]*.parquet")}


def told(stage: str, said: str) -> set[int]:
    """Numbers of the shards, or of the steps, that a run has reported."""
    return {int(number) for number in re.findall(r"(?:shard|: step) (\d+)/", said)}


def contents(stage: str, out: Path) -> dict[str, bytes]:
    """Each file of the stage's outputs that is there."""
    found = {}
    for name in OUTPUTS[stage]:
        path = out / name
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                found[str(file.relative_to(out))] = file.read_bytes()
    return found


def assert_clean(stage: str, out: Path, home: Path) -> None:
    """The outputs of an uninterrupted run, and nothing beside them."""
    assert contents(stage, out) == contents(stage, home / "whole")
    assert {path.name for path in out.iterdir()} == {*OUTPUTS[stage], ".work"}
    left = [path for path in (out / ".work").rglob("*") if path.is_file()]
    assert {path.parent.name for path in left} == {"locks", "timings"}


def wait_for(stage: str, out: Path, pid: int, number: int) -> bool:
    """Wait until a shard or checkpoint of at least this number is there; False if it ended."""
    while max(done(stage, out), default=0) < number:
        if not Path(f"/proc/{pid}").exists():
            return False
        time.sleep(0.005)
    return True


@pytest.mark.parametrize("stage", STAGES)
def test_killed_at_random_it_ends_in_the_same_bytes(
    stage: str, starter: Starter, home: Path
) -> None:
    chance = random.Random(stage)
    out, whole = home / f"killed-{stage}", contents(stage, home / "whole")
    kills, ended = 0, False
    while not ended or kills < KILLS:
        if ended:  # before it could be killed: from the start
            assert_clean(stage, out, home)
            shutil.rmtree(out)
        before = done(stage, out)
        pid = starter.start(stage, out)
        if kills < KILLS:
            ready = max(before, default=0) + chance.choice((0, 0, 1, 2, 3))
            wait_for(stage, out, pid, ready)
            time.sleep(chance.uniform(0, 0.8 if ready in {0, *before} else 0.05))
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        status, said = starter.finish()
        kills += status == -signal.SIGKILL
        ended = status == 0
        assert status in (0, -signal.SIGKILL), said
        assert not told(stage, said) & before, "done twice"
        if ended:
            continue
        assert contents(stage, out).items() <= whole.items(), "a broken output"
        lost = told(stage, said) - done(stage, out)
        if stage == "dpo":  # it keeps two checkpoints, and reports a step before it is saved
            lost = {step for step in lost if step > max(done(stage, out), default=0)}
            assert len(lost) <= 1
        else:
            assert not lost, "a finished shard is lost"
    assert kills == KILLS
    assert_clean(stage, out, home)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, of 8 KB to begin with."""
    command = ["mount", "-t", "tmpfs", "-o", "size=8k", "none", tmp_path]
    mounted = subprocess.run(command, capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("mounting a small disk needs root")
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


def resize(disk: Path, kilobytes: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={kilobytes}k", disk], check=True)


@pytest.mark.parametrize(
    ("stage", "sizes"),
    [("generate", (8, 28, 56)), ("score", (8, 28, 52)), ("dpo", (64, 700, 1600))],
)
def test_a_full_disk_is_one_line_and_the_stage_goes_on_with_more_room(
    stage: str, sizes: tuple[int, ...], starter: Starter, home: Path, disk: Path
) -> None:
    before = set[int]()
    for size in sizes:
        resize(disk, size)
        starter.start(stage, disk)
        status, said = starter.finish()
        assert status == 2, said
        lines = [line for line in said.splitlines() if not re.search(r"shard|(: |at )step", line)]
        assert len(lines) == 1, said
        assert lines[0].startswith(f"{stage}: ")
        assert re.search("No space left|No room for", lines[0])
        assert "free some disk space and run" in lines[0]
        assert not contents(stage, disk)
        assert not list(disk.glob(".*.tmp*"))
        assert not told(stage, said) & before, "done twice"
        before = done(stage, disk)
    assert before
    resize(disk, 1 << 16)
    starter.start(stage, disk)
    assert starter.finish()[0] == 0
    assert_clean(stage, disk, home)


@pytest.mark.parametrize("stage", STAGES)
def test_a_second_run_at_once_is_refused(
    stage: str, starter: Starter, home: Path, root: Path
) -> None:
    out = home / f"twice-{stage}"
    pid = starter.start(stage, out)
    assert wait_for(stage, out, pid, 1)
    os.kill(pid, signal.SIGSTOP)
    try:
        second = subprocess.run(
            [sys.executable, "-m", *argv(stage, home)],
            cwd=out,
            env={**os.environ, "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.kill(pid, signal.SIGCONT)
    assert second.returncode == 2
    assert re.fullmatch(rf"{stage}: .* is running already; .*\n", second.stderr)
    assert starter.finish()[0] == 0
    assert_clean(stage, out, home)
