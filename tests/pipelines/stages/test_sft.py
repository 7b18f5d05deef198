"""pi0 without supervised fine-tuning is the base model itself, in the graph as any other policy."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from pipelines.core.params.text import read
from pipelines.stages import no_rows, sft
from training.core import checkpoint


def test_with_sft_null_the_base_is_the_first_policy(tmp_path: Path, base: Path) -> None:
    whole = read(Path("recipes/ci.yaml")).values
    whole["sft"] = None
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(whole))
    assert no_rows.main(["--native", str(tmp_path / "mix.parquet")]) == 0
    paths = {
        "base": base,
        "table": tmp_path / "mix.parquet",
        "checkpoint": tmp_path / "sft",
        "metrics": tmp_path / "sft.json",
        "policies": tmp_path / "policies.json",
        "params": tmp_path / "params.yaml",
    }
    assert sft.main([word for key, path in paths.items() for word in (f"--{key}", str(path))]) == 0
    assert (tmp_path / "sft/model.safetensors").samefile(base / "model.safetensors")
    assert checkpoint.card(tmp_path / "sft")["kind"] == "policy"
    known = json.loads((tmp_path / "policies.json").read_text())
    sha = checkpoint.weights_sha(base)
    assert known == {"sft": {"path": (tmp_path / "sft").as_posix(), "sha": sha}}
    assert json.loads((tmp_path / "sft.json").read_text())["steps"] == 0
