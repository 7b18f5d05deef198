"""DPO in several processes: the recipe's launch file, and the shipped accelerate configs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

from curation.core import schema
from pipelines.core.io import read_json
from pipelines.core.outputs import Outputs
from pipelines.stages import dpo, reference
from tests.training.stages import command, history

CONFIGS = Path(__file__).resolve().parents[3] / "recipes/accelerate"


@pytest.fixture
def work(base: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with 64 pairs, their references and two recipes: one process, and two."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policy").symlink_to(base)
    recipe = yaml.safe_load((root / "recipes/sample.yaml").read_text("utf-8"))
    recipe["dpo"] |= {"global_batch": 8, "per_device_batch": 4, "learning_rate": 1e-3}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(recipe))
    recipe["dpo"]["launch"] = str(CONFIGS / "cpu2.yaml")
    (tmp_path / "two.yaml").write_text(yaml.safe_dump(recipe))
    outputs = Outputs()
    outputs.table(tmp_path / "history.parquet", schema.HISTORY, history(64))
    outputs.table(tmp_path / "none.parquet", schema.REFERENCE, schema.REFERENCE.empty())
    outputs.commit()
    assert reference.main(command("reference", "whole")[1]) == 0
    return tmp_path


@pytest.mark.slow
def test_two_processes_train_the_policy_that_one_does(work: Path, root: Path) -> None:
    assert dpo.main(command("dpo", "one")[1]) == 0
    module, argv = command("dpo", "two")
    done = subprocess.run(
        [sys.executable, "-m", module, *argv, "--params", "two.yaml"],
        env={**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("dpo@iter1: 64 in, 64 kept") == 1
    start, one, two = (
        load_file(folder / "model.safetensors")
        for folder in (work / "policy", work / "one/checkpoint", work / "two/checkpoint")
    )
    assert max(float((one[name] - start[name]).abs().max()) for name in start) > 1e-3
    for name, tensor in one.items():
        assert torch.allclose(tensor, two[name], rtol=0, atol=1e-4), name
    figures = [read_json(work / name / "dpo.json") for name in ("one", "two")]
    assert figures[0]["steps"] == figures[1]["steps"] == 8
    for name in ("accuracy", "reward_margin"):
        assert figures[0][name] == pytest.approx(figures[1][name], abs=1e-3)
    assert not list((work / ".work/training").glob("*"))


def test_a_missing_launch_file_is_one_line(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = (work / "two.yaml").read_text().replace("cpu2.yaml", "none.yaml")
    (work / "two.yaml").write_text(recipe)
    assert dpo.main([*command("dpo", "x")[1], "--params", "two.yaml"]) == 2
    assert "no such accelerate config" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "uses"),
    [("ddp", "multi_gpu"), ("fsdp", "use_fsdp"), ("zero3", "use_deepspeed"), ("cpu2", "multi_gpu")],
)
def test_accelerate_takes_the_shipped_configs(name: str, uses: str) -> None:
    from accelerate.commands.config.config_args import load_config_from_file
    from accelerate.commands.launch import _validate_launch_command, launch_command_parser

    file = str(CONFIGS / f"{name}.yaml")
    assert load_config_from_file(file).num_processes in (2, 8)
    given = launch_command_parser().parse_args(
        ["--config_file", file, "-m", "pipelines.stages.dpo"]
    )
    args, _, _ = _validate_launch_command(given)
    kinds = ("multi_gpu", "use_fsdp", "use_deepspeed")
    assert [kind for kind in kinds if getattr(args, kind)] == [uses]
    if name == "fsdp":
        assert (args.fsdp_version, args.fsdp_state_dict_type) == (2, "FULL_STATE_DICT")
    if name == "zero3":
        assert (args.zero_stage, args.zero3_save_16bit_model) == (3, True)
