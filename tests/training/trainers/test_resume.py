"""A trainer's own checkpoints: the newest whole one is gone on from, with the same bytes."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.models import comparisons
from training.core.settings import RewardModel
from training.trainers import resume, reward_model

SETTINGS = RewardModel(
    epochs=1, learning_rate=3e-3, global_batch=8, per_device_batch=8, max_length=128, seed=5
)


class Stopped(BaseException):
    pass


def checkpoints(work: Path) -> dict[str, Path]:
    return {path.name: path for path in work.glob("*/checkpoint-*")}


def train(base: Path, out: Path, work: Path) -> bytes:
    settings = replace(SETTINGS, save_steps=2)
    reward_model.train("rm", base, comparisons(64), settings, out=out, work=work)
    return (out / "model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def stopped(base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """The work folder of a run that ended before its last step, and the undisturbed weights."""
    folder = tmp_path_factory.mktemp("stopped")
    whole = train(base, folder / "whole", folder / "other")
    with pytest.MonkeyPatch.context() as patch:
        mark = resume._mark

        def stop(path: Path, facts: dict[str, object]) -> None:
            mark(path, facts)
            if path.name == "checkpoint-4":
                raise Stopped

        patch.setattr(resume, "_mark", stop)
        with pytest.raises(Stopped):
            train(base, folder / "stopped", folder / "work")
    assert set(checkpoints(folder / "work")) == {"checkpoint-2", "checkpoint-4"}
    return folder / "work", whole


FILES = ["model.safetensors", "optimizer.pt", "scheduler.pt", "trainer_state.json", "prefloop.json"]


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit_costs_the_newest_checkpoint_alone(
    base: Path, tmp_path: Path, stopped: tuple[Path, bytes], capfd: pytest.CaptureFixture[str],
    name: str,
) -> None:  # fmt: skip
    work, whole = tmp_path / "work", stopped[1]
    shutil.copytree(stopped[0], work)
    file = checkpoints(work)["checkpoint-4"] / name
    torn = bytearray(file.read_bytes())
    torn[len(torn) // 2] ^= 4
    file.write_bytes(torn)
    assert train(base, tmp_path / "out", work) == whole
    assert "resuming at step 2/" in capfd.readouterr().out


@pytest.mark.parametrize("how", ["gone", "more", "file", "folder"])
def test_what_is_no_checkpoint_is_not_taken(
    stopped: tuple[Path, bytes], tmp_path: Path, how: str
) -> None:
    work = tmp_path / "work"
    shutil.copytree(stopped[0], work)
    newest = checkpoints(work)["checkpoint-4"]
    key = newest.parent.name
    if how == "gone":
        (newest / "scheduler.pt").unlink()
    elif how == "more":
        (newest / "pytorch_model.bin").write_bytes(b"foreign")
    else:
        shutil.rmtree(newest)
        if how == "file":
            newest.write_bytes(b"a file in its place")
        else:
            newest.joinpath("prefloop.json").mkdir(parents=True)
    found = resume.latest(resume.prepare(work, key, first=True))
    assert found is not None
    assert found.name == "checkpoint-2"
    assert not newest.exists()
