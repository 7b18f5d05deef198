"""The figures of a benchmark, by its name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from training.bench import rewardbench
from training.bench.rewards import judge_bench, ppe, rewardbench2, rm_bench
from training.bench.rewards.items import Item
from training.bench.rewards.said import Said
from training.core.statistics import Floats

_SCORED = {
    "rewardbench2": rewardbench2.figures,
    "rm-bench": rm_bench.figures,
    "ppe-preference": ppe.preference,
    "ppe-correctness": ppe.correctness,
}


def figures(bench: str, items: Sequence[Item], said: Said) -> dict[str, Any]:
    """score and parts (shares in [0, 1]), and what else the benchmark tells."""
    if bench == "judgebench":
        return judge_bench.figures(items, said.decisions)
    if bench == "rewardbench":
        right = np.array([_right(one) for one in said.scores])
        asked = [json.dumps(item.prompt) if item.prompt else item.key for item in items]
        return rewardbench.scores([item.group for item in items], right, asked)
    return _SCORED[bench](items, said.scores)


def _right(scores: Floats) -> float:
    """1 where the chosen response scores higher, .5 for a tie, 0 without a score."""
    if np.isnan(scores).any():
        return 0.0
    return float((np.sign(scores[0] - scores[1]) + 1.0) / 2.0)
