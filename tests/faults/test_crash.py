"""Stages that take long, killed at random moments, on a full disk, and two at once.

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

from curation.core import schema
from pipelines.core.outputs import Outputs
from tests.faults.crashing import (
    OUTPUTS,
    TRAINED,
    Starter,
    argv,
    contents,
    done,
    mix,
    pool,
    sft_mix,
    told,
)
from tests.training.stages import history

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the starter forks, which is safe on Linux"),
]
STAGES = ("generate", "score", "dpo")
SHARDS = 12
KILLS = 7  # of each stage, after which it is left alone


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
    small = {"global_batch": 8, "per_device_batch": 4, "save_steps": 1}
    for stage in TRAINED:
        recipe[stage] |= small | {"epochs": 1 if stage == "dpo" else 2}
    recipe["sft"] |= {"max_length": 64, "global_batch": 4}
    (folder / "params.yaml").write_text(yaml.safe_dump(recipe), "utf-8")
    outputs = Outputs()
    outputs.table(folder / "prompts.parquet", schema.PROMPTS, pool(SHARDS * 2))
    outputs.table(folder / "history.parquet", schema.HISTORY, history(64))
    outputs.table(folder / "mix.parquet", schema.MIXES, mix(64))
    outputs.table(folder / "sft_mix.parquet", schema.SFT_MIX, sft_mix(64))
    outputs.table(folder / "none.parquet", schema.REFERENCE, schema.REFERENCE.empty())
    outputs.commit()
    return folder


@pytest.fixture(scope="module")
def starter(root: Path, home: Path) -> Iterator[Starter]:
    """A starter, and the outputs of uninterrupted runs in the folder whole."""
    made = Starter(root, home)
    for stage in OUTPUTS:
        made.start(stage, home / "whole" / stage)
        status, said = made.finish()
        assert status == 0, said
        if stage in ("generate", "score"):
            assert said.count("shard") == SHARDS
    yield made
    made.close()


def test_model_stages_import_nothing_that_they_do_not_need(starter: Starter) -> None:
    assert starter.loaded == []


def assert_clean(stage: str, out: Path, home: Path) -> None:
    """The outputs of an uninterrupted run, and nothing beside them."""
    assert contents(stage, out) == contents(stage, home / "whole" / stage)
    assert {path.name for path in out.iterdir()} == {*OUTPUTS[stage], ".work"}
    left = [path for path in (out / ".work").rglob("*") if path.is_file()]
    assert {path.parent.name for path in left} == {"locks", "timings"}


def test_timings_tell_the_tokens_of_every_stage(starter: Starter, home: Path) -> None:
    tokens, metrics = {}, {}
    for stage in OUTPUTS:
        folder = home / "whole" / stage
        (facts,) = (folder / ".work/timings").glob("*.json")
        tokens[stage] = json.loads(facts.read_text())["tokens"]
        metrics[stage] = json.loads((folder / f"{stage}.json").read_text())
    for stage in TRAINED:
        assert tokens[stage] == metrics[stage]["tokens"] * (1 if stage == "dpo" else 2)
    assert tokens["reference"] == tokens["dpo"]  # the same pairs, once
    sampled = pl.read_parquet(home / "whole/generate/generate.parquet")["n_tokens"].sum()
    assert tokens["generate"] == sampled
    assert tokens["score"] == sampled + SHARDS * 2  # pool() gives each prompt one token


def wait_for(stage: str, out: Path, pid: int, number: int) -> bool:
    """Wait until a shard or checkpoint of at least this number is there; False if it ended."""
    while max(done(stage, out), default=0) < number:
        if not Path(f"/proc/{pid}").exists():
            return False
        time.sleep(0.005)
    return True


def started(starter: Starter, stage: str, out: Path, number: int) -> int:
    """Start a stage and stop it once it has got so far; again where it was over before we saw."""
    for _ in range(10):
        pid = starter.start(stage, out)
        if wait_for(stage, out, pid, number):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
            if not contents(stage, out):
                return pid
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        status, said = starter.finish()
        assert status == 0, said
        shutil.rmtree(out)
    raise AssertionError(f"{stage} never was stopped at {number}")


@pytest.mark.parametrize("stage", STAGES)
def test_killed_at_random_it_ends_in_the_same_bytes(
    stage: str, starter: Starter, home: Path
) -> None:
    chance = random.Random(stage)
    out, whole = home / f"killed-{stage}", contents(stage, home / "whole" / stage)
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


@pytest.mark.parametrize("stage", [stage for stage in TRAINED if stage not in STAGES])
def test_a_trainer_killed_in_each_epoch_ends_in_the_same_bytes(
    stage: str, starter: Starter, home: Path
) -> None:
    out = home / f"killed-{stage}"
    steps = json.loads((home / "whole" / stage / f"{stage}.json").read_text())["steps"]
    for step in (steps // 4, steps // 2, 3 * steps // 4):  # the second at the border of epochs
        os.kill(started(starter, stage, out, step), signal.SIGKILL)
        assert starter.finish()[0] == -signal.SIGKILL
        assert not contents(stage, out)
    found = max(done(stage, out))
    starter.start(stage, out)
    status, said = starter.finish()
    assert status == 0, said
    assert f"resuming at step {found}/{steps}" in said
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
    pid = started(starter, stage, out, 1)
    try:
        second = subprocess.run(
            [sys.executable, "-m", *argv(stage, home)],
            cwd=out,
            env={**os.environ, "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
    finally:
        os.kill(pid, signal.SIGCONT)
    assert second.returncode == 2
    assert re.fullmatch(rf"{stage}: .* is running already; .*\n", second.stderr)
    assert starter.finish()[0] == 0
    assert_clean(stage, out, home)
