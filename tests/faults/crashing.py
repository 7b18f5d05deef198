"""What the crash tests start, and what they look for in its folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import polars as pl

from curation.core import ids, schema
from tests.models import comparisons

OUTPUTS = {
    "generate": ("generate.parquet", "rejects.parquet", "generate.json"),
    "score": ("score.parquet", "score.json"),
    "reference": ("reference.parquet", "reference.json"),
    "dpo": ("checkpoint", "dpo.json"),
    "sft": ("checkpoint", "sft.json"),
    "reward_model": ("checkpoint", "reward_model.json"),
    "preference_model": ("checkpoint", "preference_model.json"),
}
INPUTS = {
    "generate": {"policy": "policy", "prompts": "prompts.parquet"},
    "score": {
        "judge": "judge",
        "generations": "whole/generate/generate.parquet",
        "prompts": "prompts.parquet",
    },
    "reference": {
        "sft": "policy",
        "policy": "policy",
        "history": "history.parquet",
        "previous": "none.parquet",
    },
    "dpo": {
        "sft": "policy",
        "policy": "policy",
        "history": "history.parquet",
        "reference": "whole/reference/reference.parquet",
    },
    "sft": {"base": "policy", "table": "sft_mix.parquet"},
    "reward_model": {"init": "policy", "table": "mix.parquet"},
    "preference_model": {"init": "policy", "table": "mix.parquet"},
}
TRAINED = ("dpo", "sft", "reward_model", "preference_model")
SCOPE = {"sft": {}, "preference_model": {}, "reward_model": {"mix": "mix1"}}


def pool(count: int) -> pl.DataFrame:
    messages = [[{"role": "user", "content": f"question {k}?"}] for k in range(count)]
    frame = pl.DataFrame({"messages": messages}, schema={"messages": schema.MESSAGES})
    return frame.with_columns(
        prompt_id=ids.prompt_id(pl.col("messages")),
        source=pl.lit("made"),
        source_row=pl.lit("0"),
        n_chars=pl.lit(1),
        n_tokens=pl.lit(1),
        license=pl.lit("none"),
        bucket=pl.lit(0.05),
        split=pl.lit("train"),
        map_x=pl.lit(0.0),
        map_y=pl.lit(0.0),
        cluster=pl.lit(0),
    )


def mix(count: int) -> pl.DataFrame:
    """A preference mix, an eighth of it held out."""
    rows = [
        {"pair_id": item.key, "prompt": item.prompt, "chosen": answer(item.chosen)}
        | {"rejected": answer(item.rejected), "split": "train" if number % 8 else "eval"}
        for number, item in enumerate(comparisons(count))
    ]
    return filled(schema.MIXES, rows)


def sft_mix(count: int) -> pl.DataFrame:
    """An SFT mix, an eighth of it held out."""
    rows = [
        {"example_id": item.key, "messages": [*item.prompt, *answer(item.chosen)]}
        | {"split": "train" if number % 8 else "eval"}
        for number, item in enumerate(comparisons(count))
    ]
    return filled(schema.SFT_MIX, rows)


def answer(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


def filled(table: schema.Table, rows: list[dict[str, object]]) -> pl.DataFrame:
    """Rows of a table; what they leave out is the same everywhere."""
    rest = {pl.String: "made", pl.Int64: 1, pl.Float64: 1.0}
    whole = [{c.name: rest.get(c.dtype) for c in table.columns} | row for row in rows]
    return pl.DataFrame(whole, schema=table.polars)


class Starter:
    """A process that starts stages at once, the model libraries being imported already."""

    def __init__(self, root: Path, home: Path) -> None:
        self._home, self._said = home, home / "said.txt"
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("starter.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"},
        )
        self.loaded: list[str] = json.loads(self._line())["loaded"]

    def start(self, stage: str, out: Path) -> int:
        """Start a stage in `out`, its outputs going there; returns the process id."""
        out.mkdir(parents=True, exist_ok=True)
        asked = {"argv": argv(stage, self._home), "cwd": str(out), "said": str(self._said)}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return int(self._line())

    def finish(self) -> tuple[int, str]:
        """Wait for the stage's end: exit status, and what it said."""
        return int(self._line()), self._said.read_text()

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=600)

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


def argv(stage: str, home: Path) -> list[str]:
    flags = {name: str(home / path) for name, path in INPUTS[stage].items()}
    names = {f"{stage}.parquet": "table", f"{stage}.json": "metrics"}
    flags |= {names.get(path, path.partition(".")[0]): path for path in OUTPUTS[stage]}
    flags |= SCOPE.get(stage, {"iteration": "iter1"}) | {"params": str(home / "params.yaml")}
    words = [word for name, value in flags.items() for word in (f"--{name}", value)]
    return [f"pipelines.stages.{stage}", *words]


def done(stage: str, out: Path) -> set[int]:
    """Numbers of the shards, or steps of the trainer's checkpoints, that are whole on disk."""
    if stage in TRAINED:
        whole = out.glob(".work/training/*/*/*/checkpoint-*/prefloop.json")
        return {int(file.parent.name.rpartition("-")[2]) for file in whole}
    return {int(file.stem) + 1 for file in out.glob(".work/shards/*/*/*/[0-9]*.shard")}


def told(stage: str, said: str) -> set[int]:
    """Numbers of the shards, or of the steps, that a run has reported."""
    return {int(number) for number in re.findall(r"(?:shard|: step) (\d+)/", said)}


def contents(stage: str, out: Path) -> dict[str, bytes]:
    """Each file of the stage's outputs that is there."""
    found = {}
    for name in OUTPUTS[stage]:
        path = out / name
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                found[str(file.relative_to(out))] = file.read_bytes()
    return found
