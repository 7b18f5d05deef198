"""prefloop multi-head as a command: heads on ratings of prompts that the mix does not hold out."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from pipelines.commands import multi_head
from tests.pipelines.commands.test_judge_eval import held_out_mix

pytestmark = pytest.mark.slow


@pytest.fixture
def argv(
    tmp_path: Path, root: Path, reward_model: Path, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """24 held-out pairs and 20 to train on, in a working folder."""
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(root / "recipes/sample.yaml", "params.yaml")
    split = pl.when(pl.int_range(pl.len()) < 24).then(pl.lit("eval")).otherwise(pl.lit("train"))
    held_out_mix().with_columns(split=split).write_parquet("mix.parquet")
    paths = ("--table", "mix.parquet", "--checkpoint", "multi", "--metrics", "multi.json")
    return ["--reward-model", str(reward_model), *paths]


def test_ratings_of_held_out_prompts_are_left_out(argv: list[str]) -> None:
    rows = [
        {
            "prompt": f"question {k}?" if k < 44 else f"another {k}?",
            "response": ("woof", "moo")[k % 2],
            "helpfulness": 4 * (1 - k % 2),
            "verbosity": k % 5,
        }
        for k in range(100)
    ]
    pl.DataFrame(rows).write_parquet("helpsteer.parquet")
    assert multi_head.main([*argv, "--helpsteer", "helpsteer.parquet"]) == 0
    told = json.loads(Path("multi.json").read_text("utf-8"))
    assert told["judge"] == "multi_head/multi"
    assert told["heads"]["helpsteer-helpfulness"]["rows"] == 100 - 24
    assert told["accuracy"]["pairs"] == told["base_accuracy"]["pairs"] == 24
    gates = told["gate_by_source"]
    assert set(gates) == {"a", "b"}
    assert sum(gates["a"].values()) == pytest.approx(1.0, abs=1e-5)


def test_it_asks_for_ratings(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert multi_head.main(argv) == 2
    assert "give --helpsteer, --ultrafeedback or both" in capsys.readouterr().err
    assert not Path("multi").exists()
