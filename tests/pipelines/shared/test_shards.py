"""Finished shards are used again by the same work alone, and are gone once they have served."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from pipelines.core import code
from pipelines.core.stage import Stage
from pipelines.shared import shards
from pipelines.shared.workers import Job


class Killed(BaseException):
    pass


@pytest.fixture
def copy(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the code, as the code that makes the shards."""
    monkeypatch.chdir(tmp_path)
    for package in code.PACKAGES:
        shutil.copytree(root / package, tmp_path / package)
    monkeypatch.setattr(code, "ROOT", tmp_path)
    return tmp_path


def go(key: str, kill_at: int | None = None, *, finish: bool = True) -> list[int]:
    """Run seven items in shards of two; returns the items that were worked on."""
    worked: list[int] = []
    code._own.cache_clear()  # as a new process would
    stage = Stage("generate", "pipelines.stages.generate", [Path("t.parquet")])

    def work(engine: int, items: Sequence[int]) -> pl.DataFrame:
        if kill_at in items:
            raise Killed
        worked.extend(items)
        return pl.DataFrame({"n": [item * 10 for item in items]})

    try:
        frame = shards.run(stage, "samples", [key], range(7), 2, job=Job("generate", int, work))
    except Killed:
        return worked
    assert frame["n"].to_list() == [item * 10 for item in range(7)]
    for action in stage.after if finish else ():
        action()
    return worked


def files() -> list[Path]:
    return [path for path in Path(".work").rglob("*") if path.is_file()]


def test_a_killed_run_goes_on_and_leaves_nothing(copy: Path) -> None:
    assert go("k", kill_at=5) == [0, 1, 2, 3]
    torn = files()[0].with_name(".000002.shard.abc.tmp")
    torn.write_bytes(b"half")
    whole = files()[0].with_name("000001.shard")
    whole.write_bytes(whole.read_bytes()[:-9])
    assert go("k", finish=False) == [2, 3, 4, 5, 6]
    assert not torn.exists()
    assert go("k") == []
    assert files() == []


def test_other_inputs_and_other_code_start_anew(copy: Path) -> None:
    go("k", kill_at=3)
    assert go("other", kill_at=3) == [0, 1]
    assert len(files()) == 1
    unrelated, used = copy / "curation/ui/app.py", copy / "pipelines/shared/sampling.py"
    unrelated.write_text(unrelated.read_text() + "\n# changed\n")
    assert go("other", kill_at=3) == []
    used.write_text(used.read_text() + "\n# changed\n")
    assert go("other", kill_at=3) == [0, 1]
    assert len(files()) == 1


def shard(number: int) -> Path:
    return files()[0].with_name(f"{number:06d}.shard")


def test_a_shard_with_one_flipped_bit_is_made_again(copy: Path) -> None:
    assert go("k", kill_at=3) == [0, 1]
    whole = shard(0).read_bytes()
    for at in range(0, len(whole), len(whole) // 9):
        torn = bytearray(whole)
        torn[at] ^= 1 << at % 8
        shard(0).write_bytes(torn)
        assert go("k", kill_at=3) == [0, 1], f"the flipped bit in byte {at} was taken"
        assert shard(0).read_bytes() == whole


def test_another_shard_in_its_place_is_made_again(copy: Path) -> None:
    go("k", kill_at=5)
    shutil.copyfile(shard(1), shard(0))
    assert go("k", kill_at=5) == [0, 1]
    pl.DataFrame({"other": ["table"]}).write_parquet(shard(0))
    assert go("k", kill_at=5) == [0, 1]


def test_a_folder_in_place_of_a_shard_is_made_again(copy: Path) -> None:
    go("k", kill_at=5)
    folder = shard(1)
    folder.unlink()
    folder.mkdir()
    folder.joinpath("file").write_bytes(b"")
    assert go("k") == [2, 3, 4, 5, 6]
    assert files() == []
