"""The reference and dpo stages as command lines on made-up comparisons, for several test files."""

from __future__ import annotations

import polars as pl

from curation.core import schema
from tests.models import comparisons

COMMANDS = {
    "reference": ["--sft", "policy", "--policy", "policy", "--history", "history.parquet",
                  "--previous", "none.parquet", "--table", "{out}/reference.parquet",
                  "--metrics", "{out}/reference.json"],
    "dpo": ["--sft", "policy", "--policy", "policy", "--history", "history.parquet",
            "--reference", "whole/reference.parquet", "--checkpoint", "{out}/checkpoint",
            "--metrics", "{out}/dpo.json"],
}  # fmt: skip


def command(stage: str, out: str) -> tuple[str, list[str]]:
    argv = [part.format(out=out) for part in COMMANDS[stage]]
    return f"pipelines.stages.{stage}", ["--iteration", "iter1", *argv]


def history(count: int) -> pl.DataFrame:
    rows = [
        {
            "pair_id": item.key,
            "prompt_id": "p",
            "origin": "iter1",
            "prompt": item.prompt,
            "chosen": [{"role": "assistant", "content": item.chosen}],
            "rejected": [{"role": "assistant", "content": item.rejected}],
            "margin": item.margin,
            "weight": 1.0,
        }
        for item in comparisons(count)
    ]
    return pl.DataFrame(rows, schema=schema.HISTORY.polars)
