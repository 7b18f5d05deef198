"""SFT, reward and preference models in two processes are those that one trains."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
import yaml
from safetensors.torch import load_file

from curation.core import schema
from pipelines.core.io import read_json
from pipelines.core.outputs import Outputs
from pipelines.stages import preference_model, reward_model, sft
from tests.models import comparisons

CONFIG = Path(__file__).resolve().parents[3] / "recipes/accelerate/cpu2.yaml"
FIGURES = {"sft": "eval_loss", "reward_model": "mean_margin", "preference_model": "accuracy"}
STAGES: dict[str, tuple[Callable[..., int], list[str]]] = {
    "sft": (sft.main, ["--base", "policy", "--table", "sft_mix.parquet"]),
    "reward_model": (
        reward_model.main,
        ["--mix", "mix1", "--init", "policy", "--table", "mix.parquet"],
    ),
    "preference_model": (preference_model.main, ["--init", "policy", "--table", "mix.parquet"]),
}


def said(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


def tables(folder: Path) -> None:
    """A mix and an SFT mix of the tiny comparisons, eight rows of 72 held out."""
    split = ["eval" if k < 8 else "train" for k in range(72)]
    known = {"prompt_id": "p", "source": "s", "source_row": "r", "license": "MIT", "turns": 1}
    chars = {f"{side}_chars": 1 for side in ("prompt", "chosen", "rejected")}
    mix = [
        {"pair_id": one.key, "prompt": one.prompt, "chosen": said(one.chosen), "annotator": "a",
         "rejected": said(one.rejected), "margin": one.margin, "split": part, **known, **chars}
        for one, part in zip(comparisons(72), split, strict=True)
    ]  # fmt: skip
    imitated = [
        {"example_id": row["pair_id"], "messages": [*row["prompt"], *row["chosen"]], "n_chars": 1,
         "split": row["split"], **known}
        for row in mix
    ]  # fmt: skip
    outputs = Outputs()
    for table, rows, name in (
        (schema.MIXES, mix, "mix.parquet"),
        (schema.SFT_MIX, imitated, "sft_mix.parquet"),
    ):
        outputs.table(folder / name, table, pl.DataFrame(rows, schema=table.polars))
    outputs.commit()


@pytest.fixture
def work(base: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with both mixes and two recipes: one process, and two."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policy").symlink_to(base)
    tables(tmp_path)
    recipe: Any = yaml.safe_load((root / "recipes/sample.yaml").read_text("utf-8"))
    for name in STAGES:
        recipe[name] |= {"epochs": 1, "global_batch": 8, "per_device_batch": 4, "max_length": 192}
        recipe[name]["learning_rate"] = 1e-3
    recipe["sft"]["packing"] = False  # packed, all rows are one step, whose rate is 0
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(recipe))
    for name in STAGES:
        recipe[name]["launch"] = str(CONFIG)
    (tmp_path / "two.yaml").write_text(yaml.safe_dump(recipe))
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("name", STAGES)
def test_two_processes_train_what_one_does(name: str, work: Path, root: Path) -> None:
    main, reads = STAGES[name]

    def argv(out: str) -> list[str]:
        return [*reads, "--checkpoint", f"{out}/checkpoint", "--metrics", f"{out}/metrics.json"]

    assert main(argv("one")) == 0
    done = subprocess.run(
        [sys.executable, "-m", f"pipelines.stages.{name}", *argv("two"), "--params", "two.yaml"],
        env={**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    start, one, two = (
        load_file(folder / "model.safetensors")
        for folder in (work / "policy", work / "one/checkpoint", work / "two/checkpoint")
    )
    moved = [name for name in start if name in one and not torch.allclose(one[name], start[name])]
    assert moved
    for tensor, weight in one.items():
        assert torch.allclose(weight, two[tensor], rtol=0, atol=1e-4), tensor
    figures = [read_json(work / out / "metrics.json") for out in ("one", "two")]
    assert figures[0]["steps"] == figures[1]["steps"] > 0
    figure = FIGURES[name]
    assert figures[0][figure] == pytest.approx(figures[1][figure], abs=1e-3)
