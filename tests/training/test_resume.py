"""kill -9 in the middle of a stage, then the stage again: the same bytes, few shards done twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import yaml

from curation import ids, schema
from pipelines.core.io import Outputs

pytestmark = pytest.mark.slow
SHARDS = 6


@pytest.fixture(scope="module")
def work(
    root: Path, base: Path, reward_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with a pool of prompts, the models and a recipe of many small shards."""
    folder = tmp_path_factory.mktemp("work")
    (folder / "policy").symlink_to(base)
    (folder / "judge").symlink_to(reward_model)
    recipe = yaml.safe_load((root / "recipes/sample.yaml").read_text("utf-8"))
    recipe["engine"]["shard_prompts"] = 4
    recipe["iterations"]["iter1"] |= {"prompts": [0.0, 0.1], "n": 4, "max_new_tokens": 12}
    recipe["iterations"]["iter1"].pop("limit", None)
    (folder / "params.yaml").write_text(yaml.safe_dump(recipe), "utf-8")
    outputs = Outputs()
    outputs.table(folder / "prompts.parquet", schema.PROMPTS, pool(SHARDS * 4))
    outputs.commit()
    return folder


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


def command(stage: str, out: str) -> list[str]:
    paths = {
        "generate": ["--policy", "policy", "--rejects", f"{out}/rejects.parquet"],
        "score": ["--judge", "judge", "--generations", "whole/generate.parquet"],
    }[stage]
    return [
        *(sys.executable, "-m", f"pipelines.{stage}", "--iteration", "iter1", *paths),
        *("--prompts", "prompts.parquet", "--table", f"{out}/{stage}.parquet"),
        *("--metrics", f"{out}/{stage}.json"),
    ]


def start(stage: str, out: str, work: Path, root: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(stage, out),
        cwd=work,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def finish(stage: str, out: str, work: Path, root: Path) -> str:
    process = start(stage, out, work, root)
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, said
    return said


def kill_after(shards: int, stage: str, out: str, work: Path, root: Path) -> None:
    """Start the stage and kill its whole group once it has reported so many shards."""
    process = start(stage, out, work, root)
    assert process.stdout is not None
    seen = 0
    while seen < shards:
        line = process.stdout.readline()
        assert line, "the stage ended before it could be killed"
        seen += "shard" in line
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("stage", ["generate", "score"])
def test_a_killed_stage_goes_on_where_it_was(stage: str, work: Path, root: Path) -> None:
    whole = finish(stage, "whole", work, root)
    assert whole.count("shard") == SHARDS
    for killed in (2, 1):
        kill_after(killed, stage, "killed", work, root)
        assert not (work / "killed" / f"{stage}.parquet").exists()
    rest = finish(stage, "killed", work, root)
    assert rest.count("shard") <= SHARDS - 3
    for name in (f"{stage}.parquet", f"{stage}.json"):
        assert (work / "killed" / name).read_bytes() == (work / "whole" / name).read_bytes()
    assert not list((work / ".work" / "shards").glob("*/*/*/*.parquet"))


def test_a_second_run_at_once_is_refused(work: Path, root: Path) -> None:
    first = start("generate", "twice", work, root)
    assert first.stdout is not None
    assert "shard" in first.stdout.readline()
    first.send_signal(signal.SIGSTOP)
    second = start("generate", "twice", work, root)
    said, _ = second.communicate(timeout=120)
    first.send_signal(signal.SIGCONT)
    first.communicate(timeout=120)
    assert second.returncode == 2
    assert "running already" in said
    assert first.returncode == 0
