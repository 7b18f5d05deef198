"""Tampers of every kind, planted one by one in a finished build, are found, and nothing else is."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from curation.core import schema
from curation.publish import lock as locks
from pipelines.commands.verify import main
from pipelines.core.outputs import Outputs
from pipelines.shared import proof
from pipelines.shared.proof import Fault
from tests.conftest import copy_build

pytestmark = pytest.mark.slow

PAIRS = "data/iterations/iter1/pairs.parquet"
SCORES = "data/iterations/iter1/scores.parquet"


@pytest.fixture(scope="module")
def build(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_build(finished, tmp_path_factory.mktemp("proof") / "build")


def found(build: Path) -> list[Fault]:
    return list(proof.faults(locks.load(build / "dvc.lock"), build / "params.yaml"))


def outputs(build: Path) -> list[Path]:
    """Every file that a stage has written, of models the weights left out: they are large."""
    paths = [
        build / one["path"]
        for entry in locks.load(build / "dvc.lock").stages.values()
        for one in entry.get("outs", [])
    ]
    files = [file for path in paths for file in ([path] if path.is_file() else path.rglob("*"))]
    return sorted({file for file in files if file.is_file() and file.stat().st_size < 10**6})


def test_an_untouched_build_is_as_recorded(build: Path) -> None:
    assert found(build) == []


def test_one_flipped_bit_of_any_of_a_hundred_outputs_is_found(build: Path) -> None:
    rng = random.Random(7)
    files = [file for file in outputs(build) if file.stat().st_size]
    for file in rng.sample(files, min(100, len(files))):
        whole = file.read_bytes()
        torn = bytearray(whole)
        torn[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        file.write_bytes(torn)
        path = str(file.relative_to(build))
        lock = locks.load(build / "dvc.lock")
        entry = next(
            (name, one)
            for name, stage in lock.stages.items()
            for one in stage.get("outs", [])
            if path == one["path"] or path.startswith(f"{one['path']}/")
        )
        faults = list(proof._out(lock, *entry, {}))
        file.write_bytes(whole)
        assert [one.where for one in faults if one.stage == entry[0]], path
    assert found(build) == []


def relock(build: Path, change: Callable[[dict[str, Any]], None]) -> str:
    """Change the lock's stages; the text that it had."""
    file = build / "dvc.lock"
    before = file.read_text("utf-8")
    lock = yaml.safe_load(before)
    change(lock["stages"])
    file.write_text(yaml.safe_dump(lock, sort_keys=False), "utf-8")
    return before


def rehashed(build: Path, path: str, *, deps: bool) -> Callable[[dict[str, Any]], None]:
    """Record a path as it is now where it is an output, and perhaps where it is read."""

    def change(stages: dict[str, Any]) -> None:
        for entry in stages.values():
            for one in entry.get("outs", []) + (entry.get("deps", []) if deps else []):
                if path == one["path"] or path.startswith(f"{one['path']}/"):
                    one["md5"] = locks.md5(build / one["path"])

    return change


def rewritten(build: Path, path: str, table: schema.Table, change: Callable[..., Any]) -> bytes:
    """Change a table and write it as a stage would, its own digest included; what it was."""
    file = build / path
    before = file.read_bytes()
    made = Outputs()
    made.table(file, table, change(pl.read_parquet(file)))
    made.commit()
    return before


def swapped(pairs: pl.DataFrame) -> pl.DataFrame:
    """The first pair's sides in each other's place."""
    first, rest = pairs.head(1), pairs[1:]
    both = {"chosen": "rejected", "rejected": "chosen"}
    return pl.concat([first.rename(both).select(pairs.columns), rest])


def test_a_swapped_pair_is_found_also_where_the_lock_is_edited_to_match(build: Path) -> None:
    before = rewritten(build, PAIRS, schema.PAIRS, swapped)
    assert (build / PAIRS).read_bytes() != before
    assert Fault("pair@iter1", PAIRS, "is not what pair@iter1 recorded") in found(build)
    lock = relock(build, rehashed(build, PAIRS, deps=False))
    told = {(one.stage, one.where) for one in found(build)}
    assert ("history@iter1", PAIRS) in told  # it recorded what it had read
    assert ("pair@iter1", PAIRS) not in told
    relock(build, rehashed(build, PAIRS, deps=True))
    assert found(build) == []  # every hash agrees; only the rows do not follow
    scratch = build / ".work/verify"
    faults = list(proof.derive(locks.load(build / "dvc.lock"), "pair@iter1", scratch))
    assert faults == [Fault("pair@iter1", PAIRS, "does not follow from what the stage reads")]
    (build / PAIRS).write_bytes(before)
    (build / "dvc.lock").write_text(lock, "utf-8")


def test_an_edited_reward_is_found_by_the_pairs_that_do_not_follow(build: Path) -> None:
    def raised(scores: pl.DataFrame) -> pl.DataFrame:
        worst = pl.col("reward") == pl.col("reward").min()
        return scores.with_columns(reward=pl.when(worst).then(99.0).otherwise("reward"))

    before = rewritten(build, SCORES, schema.SCORES, raised)
    lock = relock(build, rehashed(build, SCORES, deps=True))
    assert found(build) == []
    faults = list(proof.derive(locks.load(build / "dvc.lock"), "pair@iter1", build / ".work/v2"))
    assert PAIRS in {one.where for one in faults}
    (build / SCORES).write_bytes(before)
    (build / "dvc.lock").write_text(lock, "utf-8")


def test_another_parameter_and_other_code_are_found(build: Path) -> None:
    file = build / "params.yaml"
    before = file.read_text("utf-8")
    recipe = yaml.safe_load(before)
    recipe["pairs"]["min_margin"] = 0.25
    file.write_text(yaml.safe_dump(recipe), "utf-8")
    assert ("pair@iter1", "params.yaml: pairs") in {(one.stage, one.where) for one in found(build)}
    file.write_text(before, "utf-8")
    code = build / "data/code.json"
    text = code.read_text("utf-8")
    hashes = json.loads(text)
    code.write_text(json.dumps(hashes | {"pair": "0" * 24}), "utf-8")
    told = {(one.stage, one.where) for one in found(build)}
    assert ("pair@iter1", "data/code.json: pair") in told
    code.write_text(text, "utf-8")


def test_a_missing_output_is_found(build: Path) -> None:
    whole = (build / PAIRS).read_bytes()
    (build / PAIRS).unlink()
    assert Fault("pair@iter1", PAIRS, "is not there") in found(build)
    (build / PAIRS).write_bytes(whole)


def test_the_command_says_what_is_known_and_ends_with_one_where_something_differs(
    build: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(build)
    assert main(["--quick"]) == 0
    assert "differs        0" in capsys.readouterr().out
    whole = Path(PAIRS).read_bytes()
    Path(PAIRS).write_bytes(whole[:-1])
    assert main(["--quick"]) == 1
    assert PAIRS in capsys.readouterr().out
    Path(PAIRS).write_bytes(whole)
    assert main(["--lock", "none.lock"]) == 2
