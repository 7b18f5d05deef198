"""A small build whose dvc.lock DVC itself wrote, a Hub on the loopback, and the command."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from curation.core import schema
from pipelines.commands import publish
from tests.curation.audit.tiny import (
    gate,
    generation,
    note,
    pair,
    prompt,
    score,
    write,
    write_build,
)
from tests.pipelines.commands.publish.standin import TOKEN, Hub

REPO = "org/pets"
_ITERATION = "data/iterations/iter1"


def _graph() -> dict[str, object]:
    """The stages of the real graph that stand behind this build, by their real names."""

    def stage(
        outs: list[str], deps: list[str] | None = None, params: list[str] | None = None
    ) -> dict[str, object]:
        made = {"cmd": "true", "outs": outs, "deps": deps or [], "params": params or []}
        return {key: value for key, value in made.items() if value}

    def each(names: list[str], body: dict[str, object]) -> dict[str, object]:
        return {"foreach": names, "do": body}

    preference = "data/sources/preference/${item}"
    iteration = "data/iterations/${item}"
    return {
        "fetch": each(
            ["hh_rlhf", "shp"], stage([f"{preference}/fetch.json"], params=["sources.${item}"])
        ),
        "standardize": each(
            ["hh_rlhf", "shp"],
            stage(
                [f"{preference}/table.parquet", f"{preference}/rejects.parquet"],
                [f"{preference}/fetch.json"],
                ["sources.${item}"],
            ),
        ),
        "mix": each(
            ["mix1"],
            stage(["data/mixes/${item}/mix.parquet"], ["data/sources/preference"], ["mixes.mix1"]),
        ),
        "prompts": stage(["data/prompts/prompts.parquet"], params=["prompts"]),
        "generate": each(
            ["iter1"],
            stage(
                [f"{iteration}/generations.parquet"],
                ["data/prompts/prompts.parquet"],
                ["iterations.${item}"],
            ),
        ),
        "score": each(
            ["iter1"],
            stage([f"{iteration}/scores.parquet"], [f"{iteration}/generations.parquet"]),
        ),
        "pair": each(
            ["iter1"],
            stage(
                [f"{iteration}/pairs.parquet", f"{iteration}/pair_rejects.parquet"],
                [f"{iteration}/scores.parquet", "data/mixes/mix1/mix.parquet"],
                ["pairs"],
            ),
        ),
        "history": each(
            ["iter1"],
            stage([f"{iteration}/history.parquet"], [f"{iteration}/pairs.parquet"], ["history"]),
        ),
        "dpo": each(
            ["iter1"],
            stage(["data/checkpoints/${item}"], [f"{iteration}/history.parquet"], ["dpo"]),
        ),
    }


def record(project: Path) -> None:
    """Let DVC write dvc.lock for the files as they are."""
    command = [str(Path(sys.executable).parent / "dvc"), "commit", "-q", "-f"]
    subprocess.run(command, cwd=project, check=True)


def _rows(data: Path) -> None:
    """Eight prompts with two responses each, scored and paired, and two held-out prompts."""
    write_build(data)
    gate(data / "mixes" / "mix1" / "checks.json", "mixes", 0)
    numbers = range(1, 9)
    prompts = [prompt(n, "train") for n in numbers] + [prompt(9, "eval"), prompt(10, "eval")]
    write(data / "prompts" / "prompts.parquet", schema.PROMPTS, prompts)
    best = [generation(n, 0, f"good answer number {n}") for n in numbers]
    worst = [generation(n, 1, f"bad {n}") for n in numbers]
    folder = data / "iterations" / "iter1"
    write(folder / "generations.parquet", schema.GENERATIONS, best + worst)
    scores = [score(row, 2.0) for row in best] + [score(row, 0.5) for row in worst]
    write(folder / "scores.parquet", schema.SCORES, scores)
    pairs = [pair(a, b, n) for a, b, n in zip(best, worst, numbers, strict=True)]
    write(folder / "pairs.parquet", schema.PAIRS, pairs)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build: tiny tables, a real checkpoint, params.yaml and the lock."""
    from training.core.settings import Architecture
    from training.trainers import base

    project = tmp_path_factory.mktemp("build")
    root = Path(__file__).resolve().parents[4]
    shutil.copyfile(root / "recipes" / "sample.yaml", project / "params.yaml")
    _rows(project / "data")
    checkpoint = project / "data" / "checkpoints" / "iter1"
    shape = Architecture(64, 96, 2, 2, 1, max_position=256, initializer_range=0.2)
    base.from_scratch(checkpoint, ["good answer", "bad", "pool question"] * 9, 320, shape, seed=1)
    facts = json.loads((checkpoint / "prefloop.json").read_text("utf-8"))
    note(checkpoint / "prefloop.json", {**facts, "kind": "policy", "name": "iter1"})
    note(project / _ITERATION / "dpo.json", {"loss": 0.5, "accuracy": 0.75})
    (project / "dvc.yaml").write_text(yaml.safe_dump({"stages": _graph()}), "utf-8")
    dvc = str(Path(sys.executable).parent / "dvc")
    subprocess.run([dvc, "init", "-q", "--no-scm"], cwd=project, check=True)
    record(project)
    return project


@pytest.fixture
def build(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the build, and the current folder."""
    project = tmp_path / "build"
    shutil.copytree(template, project, symlinks=True)
    monkeypatch.chdir(project)
    return project


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A fresh Hub; HF_ENDPOINT and HF_HUB_DISABLE_XET are read at import, so their constants."""
    from huggingface_hub import constants

    server = Hub()
    place = "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "ENDPOINT", server.url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", server.url + place)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    # The model tests of the same worker switch the hub off for their whole process.
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    yield server
    server.shutdown()
    server.server_close()


@dataclass
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(build: Path, hub: Hub, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run `prefloop publish --repo org/pets ARGS` in the build; the token must never show."""

    def command(*args: str) -> Ran:
        hub.asked.clear()
        code = publish.main(["--repo", REPO, *args])
        out, err = capsys.readouterr()
        assert TOKEN not in out + err
        return Ran(code, out, err)

    return command
