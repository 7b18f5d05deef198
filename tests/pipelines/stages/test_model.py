"""A reward model that others made, from the Hub or a wheel, becomes a judge of the panel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.core.params.text import read
from pipelines.stages import judge, model
from tests.pipelines.shared.hub_server import HubServer
from tests.pipelines.shared.package_index import Index, sha, use, wheel
from training.core import checkpoint

MODEL = "data/checkpoints/models/rm"
ARGS = ["--name", "rm", "--checkpoint", MODEL, "--report", "data/contract/model_rm.json"]
JUDGE = ["--name", "rm", "--path", MODEL, "--pin", "pin.json"]


@pytest.fixture
def put(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Write a recipe whose panel has the model of a uri, and the pins, in a folder of their own."""
    whole = read(root / "recipes/sample.yaml").values
    monkeypatch.chdir(tmp_path)

    def written(uri: str, pins: dict[str, str]) -> None:
        whole["models"] = {"rm": {"uri": uri}}
        whole["judges"] = {"rm": {"kind": "reward_model", "path": MODEL}}
        Path("params.yaml").write_text(yaml.safe_dump(whole))
        Path("recipes").mkdir(exist_ok=True)
        Path("recipes/pins.json").write_text(json.dumps(pins))

    return written


def published(folder: Path, inside: str = "") -> dict[str, bytes]:
    """A model as others publish it: no card of ours, and files that nobody may run."""
    files = {inside + file.name: file.read_bytes() for file in folder.iterdir()}
    return {**files, f"{inside}modeling.py": b"1/0", f"{inside}pytorch_model.bin": b"\x80"} | {
        f"{inside}prefloop.json": b"{}"
    }


@pytest.fixture
def index(put: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    made = Index()
    use(monkeypatch, made.url, tmp_path / "cache")
    yield made
    made.close()


def test_a_folder_of_a_wheel_is_fetched_and_pinned_as_a_judge(
    put: Any, index: Index, reward_model: Path
) -> None:
    made = wheel("made", "1.0", published(reward_model, "made/rm/"))
    index.files["made-1.0-py3-none-any.whl"] = made
    put("pip:made==1.0/made/rm", {"pip:made==1.0": f"sha256:{sha(made)}"})
    assert model.main(ARGS) == 0
    names = {file.name for file in Path(MODEL).iterdir()}
    assert names >= {"config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja"}
    assert not names & {"modeling.py", "pytorch_model.bin"}
    assert json.loads(Path("data/contract/model_rm.json").read_text())["passed"] is True
    assert judge.main(JUDGE) == 0
    pin = json.loads(Path("pin.json").read_text())
    assert pin["sha"] == checkpoint.weights_sha(reward_model)


def test_a_repository_is_fetched_at_its_pinned_commit(put: Any, reward_model: Path) -> None:
    here = Path(model.__file__).parents[2]
    with HubServer() as hub:
        first = hub.commit("org/rm", published(reward_model), kind="models")
        hub.commit("org/rm", {"config.json": b"not this one"}, kind="models")
        put("hf://org/rm", {"hf://org/rm@main": first})
        env = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
        env |= {"HF_ENDPOINT": hub.url, "HF_HOME": "home", "HF_HUB_DISABLE_XET": "1"}
        done = subprocess.run(
            [sys.executable, "-m", "pipelines.stages.model", *ARGS],
            env={**env, "PYTHONPATH": str(here)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert checkpoint.weights_sha(Path(MODEL)) == checkpoint.weights_sha(reward_model)
    asked = [request.path for request in hub.seen]
    assert not [path for path in asked if path.endswith((".bin", ".py"))]


def test_a_judge_whose_weights_are_not_those_of_its_config_is_refused(
    put: Any, index: Index, reward_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = published(reward_model, "rm/")
    told = json.loads(files["rm/config.json"])
    files["rm/config.json"] = json.dumps({**told, "num_hidden_layers": 5}).encode()
    made = wheel("made", "1.0", files)
    index.files["made-1.0-py3-none-any.whl"] = made
    put("pip:made==1.0/rm", {"pip:made==1.0": f"sha256:{sha(made)}"})
    assert model.main(ARGS) == 0
    assert judge.main(JUDGE) == 2
    said = capsys.readouterr().err
    assert "is not in the checkpoint" in said
    assert said.count("\n") == 1
    assert not Path("pin.json").exists()


def test_a_model_without_a_template_breaks_no_build_later(
    put: Any, index: Index, reward_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = published(reward_model, "rm/")
    del files["rm/chat_template.jinja"]
    made = wheel("made", "1.0", files)
    index.files["made-1.0-py3-none-any.whl"] = made
    put("pip:made==1.0/rm", {"pip:made==1.0": f"sha256:{sha(made)}"})
    assert model.main(ARGS) == 2
    said = capsys.readouterr().err
    assert "chat template" in said
    assert said.count("\n") == 1
