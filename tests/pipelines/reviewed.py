"""A small build made by the pair stage itself: one iteration, four prompts, two judges."""

from __future__ import annotations

from pathlib import Path

import yaml

from pipelines.stages import pair
from tests.conftest import ROOT
from tests.curation.audit.tiny import EVIL
from tests.curation.pairing.conftest import build

ANSWERS = {
    "calm": [("a long and good answer", 4.0), ("short", -1.0), ("middling", 1.0)],
    "close": [("one way to say it", 1.05), ("another way", 1.0)],
    "evil": [(EVIL, 2.0), ("a plain answer", 0.5)],
    "split": [("the judge likes this", 2.0), ("the others like this", 1.0)],
}
OTHERS = {"calm": [4.0, -1.0, 1.0], "close": [2.0, 1.0], "evil": [2.0, 0.0], "split": [0.0, 9.0]}
"""A second judge, of weight almost none: it disagrees on `split`."""


def write(folder: Path) -> Path:
    """Write the build under folder/data with folder/params.yaml beside it; returns data."""
    recipe = yaml.safe_load((ROOT / "recipes" / "sample.yaml").read_text("utf-8"))
    recipe["pairs"] |= {"judges": {"rm": 1.0, "second": 0.000001}, "scale": "raw"}
    (folder / "params.yaml").write_text(yaml.safe_dump(recipe, sort_keys=False), "utf-8")
    world = build(ANSWERS, judges={"second": OTHERS})
    data = folder / "data"
    iteration = data / "iterations" / "iter1"
    iteration.mkdir(parents=True)
    (data / "prompts").mkdir()
    world.generations.write_parquet(iteration / "generations.parquet")
    world.scores.write_parquet(iteration / "scores.parquet")
    world.prompts.write_parquet(data / "prompts" / "prompts.parquet")
    assert run_pair(folder) == 0
    return data


def run_pair(folder: Path) -> int:
    """Run the pair stage as the graph does."""
    data, iteration = folder / "data", folder / "data" / "iterations" / "iter1"
    argv = ["--iteration", "iter1", "--params", str(folder / "params.yaml")]
    argv += ["--generations", str(iteration / "generations.parquet")]
    argv += ["--scores", str(iteration / "scores.parquet")]
    argv += ["--prompts", str(data / "prompts" / "prompts.parquet")]
    argv += ["--reviews", str(data / "reviews")]
    argv += ["--table", str(iteration / "pairs.parquet")]
    argv += ["--rejects", str(iteration / "pair_rejects.parquet")]
    return pair.main([*argv, "--metrics", str(iteration / "pair.json")])
