"""kill -9 at seeded random moments of generate, score, reference and dpo; full disks; two at once.

Whatever the moment, an output is whole or not there, and the stage run again ends in the bytes of
an uninterrupted run.
"""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
import yaml

from curation import ids, schema
from pipelines.core.io import Outputs

from .conftest import comparisons
from .forks import Server

pytestmark = pytest.mark.slow
KILLS = {"generate": 7, "score": 7, "reference": 3, "dpo": 7}  # 24 moments
COMMANDS = {
    "generate": ["--policy", "policy", "--prompts", "prompts.parquet", "--table",
                 "{out}/generations.parquet", "--rejects", "{out}/rejects.parquet",
                 "--metrics", "{out}/generate.json"],
    "score": ["--judge", "judge", "--prompts", "prompts.parquet", "--generations",
              "whole/generations.parquet", "--table", "{out}/scores.parquet",
              "--metrics", "{out}/score.json"],
    "reference": ["--sft", "policy", "--policy", "policy", "--history", "history.parquet",
                  "--previous", "none.parquet", "--table", "{out}/reference.parquet",
                  "--metrics", "{out}/reference.json"],
    "dpo": ["--sft", "policy", "--policy", "policy", "--history", "history.parquet",
            "--reference", "whole/reference.parquet", "--checkpoint", "{out}/checkpoint",
            "--metrics", "{out}/dpo.json"],
}  # fmt: skip


def command(stage: str, out: str) -> tuple[str, list[str]]:
    argv = [part.format(out=out) for part in COMMANDS[stage]]
    return f"pipelines.{stage}", ["--iteration", "iter1", *argv]


def files(folder: Path, stage: str) -> dict[str, bytes]:
    """The outputs of a stage that are there, each by its path below the folder."""
    named = [part.rpartition("/")[2] for part in COMMANDS[stage] if part.startswith("{out}")]
    found = [folder / name for name in named if (folder / name).exists()]
    inside = [file for path in found for file in (path.rglob("*") if path.is_dir() else [path])]
    return {str(file.relative_to(folder)): file.read_bytes() for file in inside}


def messages(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    return frame.with_columns(pl.col(column).cast(schema.MESSAGES))


def pool(count: int) -> pl.DataFrame:
    asked = [[{"role": "user", "content": f"question {k}?"}] for k in range(count)]
    frame = messages(pl.DataFrame({"messages": asked}), "messages")
    filled = {"n_chars": 1, "n_tokens": 1, "bucket": 0.05, "map_x": 0.0, "map_y": 0.0, "cluster": 0}
    texts = {"source": "made", "source_row": "0", "license": "none", "split": "train"}
    return frame.with_columns(
        prompt_id=ids.prompt_id(pl.col("messages")),
        **{name: pl.lit(value) for name, value in (filled | texts).items()},
    )


def history(count: int) -> pl.DataFrame:
    rows = [
        {
            "pair_id": item.key,
            "prompt_id": "p",
            "origin": "iter1",
            "prompt": item.prompt,
            "chosen": [{"role": "assistant", "content": item.chosen}],
            "rejected": [{"role": "assistant", "content": item.rejected}],
            "margin": item.margin,
            "weight": 1.0,
        }
        for item in comparisons(count)
    ]
    return pl.DataFrame(rows, schema=schema.HISTORY.polars)


@pytest.fixture(scope="module")
def work(
    root: Path, base: Path, reward_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with prompts, pairs, models and a recipe of many small shards and steps."""
    folder = tmp_path_factory.mktemp("crash")
    (folder / "policy").symlink_to(base)
    (folder / "judge").symlink_to(reward_model)
    recipe = yaml.safe_load((root / "recipes/sample.yaml").read_text("utf-8"))
    recipe["engine"]["shard_prompts"] = 3
    recipe["iterations"]["iter1"] |= {"prompts": [0.0, 0.1], "n": 2, "max_new_tokens": 8}
    recipe["iterations"]["iter1"].pop("limit", None)
    recipe["dpo"] |= {"global_batch": 4, "per_device_batch": 4, "save_steps": 4, "max_length": 128}
    (folder / "params.yaml").write_text(yaml.safe_dump(recipe), "utf-8")
    outputs = Outputs()
    outputs.table(folder / "prompts.parquet", schema.PROMPTS, pool(24))
    outputs.table(folder / "history.parquet", schema.HISTORY, history(60))
    outputs.table(folder / "none.parquet", schema.REFERENCE, schema.REFERENCE.empty())
    outputs.commit()
    return folder


@pytest.fixture(scope="module")
def server(root: Path, work: Path) -> Iterator[Server]:
    """The process whose forks are killed."""
    started = Server(root, work, [f"pipelines.{stage}" for stage in COMMANDS])
    yield started
    started.close()


@pytest.fixture(scope="module")
def whole(work: Path, server: Server) -> dict[str, tuple[dict[str, bytes], float]]:
    """Of every stage the bytes of an uninterrupted run, and how long it took."""
    done = {}
    for stage in COMMANDS:
        started = time.monotonic()
        code = server.run(*command(stage, "whole"), work / f"{stage}.log")
        assert code == 0, (work / f"{stage}.log").read_text()
        done[stage] = (files(work / "whole", stage), time.monotonic() - started)
    return done


@pytest.mark.parametrize("stage", list(KILLS))
def test_a_killed_stage_ends_in_the_same_bytes(
    stage: str,
    work: Path,
    server: Server,
    whole: dict[str, tuple[dict[str, bytes], float]],
) -> None:
    wanted, seconds = whole[stage]
    draw = random.Random(f"crash {stage}")
    killed = 0
    out = work / "killed"
    while killed < KILLS[stage]:
        shutil.rmtree(out, ignore_errors=True)
        for _ in range(3):  # kill it up to three times in a row, then let it end
            moment = draw.uniform(0, seconds)
            log = work / "killed.log"
            status = server.run(*command(stage, "killed"), log, kill_after=moment)
            assert status in (-signal.SIGKILL, 0), log.read_text()
            killed += status != 0
            assert files(out, stage).items() <= wanted.items()
        assert server.run(*command(stage, "killed"), work / "killed.log") == 0
        assert files(out, stage) == wanted
    assert not list((work / ".work").glob("*/*/*/*")), "work folders are left"
    assert not list(out.glob(".*")), "temporary files are left"


@pytest.mark.parametrize("lora", [None, {"rank": 4, "alpha": 8}], ids=["full", "lora"])
def test_dpo_goes_on_from_its_last_whole_checkpoint(
    lora: dict[str, int] | None, work: Path, server: Server
) -> None:
    recipe = yaml.safe_load((work / "params.yaml").read_text())
    recipe["dpo"] |= {"lora": lora, "epochs": 2, "global_batch": 8, "per_device_batch": 4}
    (work / "lora.yaml").write_text(yaml.safe_dump(recipe))
    (work / "whole").mkdir(exist_ok=True)
    if not (work / "whole/reference.parquet").is_file():
        assert server.run(*command("reference", "whole"), work / "reference.log") == 0
    results = []
    for out, kill in ((f"{lora}-whole", None), (f"{lora}-killed", "step 12/")):
        module, argv = command("dpo", out)
        log, given = work / "lora.log", [*argv, "--params", "lora.yaml"]
        if kill is not None:
            assert server.run(module, given, log, kill_when=kill) == -signal.SIGKILL
            torn = next((work / ".work/training").glob("*/*")) / "checkpoint-11"
            torn.mkdir()
        assert server.run(module, given, log) == 0, log.read_text()
        assert ("resuming at step" in log.read_text()) == (kill is not None)
        assert "resuming at step 11" not in log.read_text()
        results.append(files(work / out, "dpo"))
    assert results[0] == results[1]


NO_ROOM = ("File too large", "could not be written")
LIMITS = {"generate": 1500, "score": 1500, "reference": 1500, "dpo": 20_000}


@pytest.mark.parametrize("stage", list(LIMITS))
def test_a_full_disk_is_one_line_and_leaves_the_outputs(
    stage: str, work: Path, server: Server, whole: dict[str, tuple[dict[str, bytes], float]]
) -> None:
    wanted, _ = whole[stage]
    out, log = work / "full", work / "full.log"
    for name, content in wanted.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(content)
    status = server.run(*command(stage, "full"), log, file_limit=LIMITS[stage])
    said = log.read_text().strip().splitlines()
    assert status == 2, said
    assert any(sign in said[-1] for sign in NO_ROOM), said
    assert not any("Traceback" in line for line in said)
    assert files(out, stage) == wanted
    assert not list(out.rglob(".*")), "temporary files are left"
    assert server.run(*command(stage, "full"), log) == 0
    assert files(out, stage) == wanted


@pytest.fixture
def small_disk(work: Path) -> Iterator[Path]:
    """A file system with room for a table, not for a checkpoint, where one may be mounted."""
    folder = work / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32k", "none", str(folder)]
    try:
        done = subprocess.run(mount, check=False, capture_output=True)
    except OSError as error:
        pytest.skip(f"mount: {error}")
    if done.returncode:
        pytest.skip(f"no file system may be mounted here: {done.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_checkpoint_that_does_not_fit_on_the_disk(
    small_disk: Path,
    work: Path,
    server: Server,
    whole: dict[str, tuple[dict[str, bytes], float]],
) -> None:
    log = work / "small.log"
    assert server.run(*command("reference", "small"), log) == 0
    assert files(small_disk, "reference") == whole["reference"][0]
    assert server.run(*command("dpo", "small"), log) == 2
    assert "No space left on device" in log.read_text().strip().splitlines()[-1]
    assert sorted(path.name for path in small_disk.iterdir()) == [
        "reference.json",
        "reference.parquet",
    ]
