"""Preference Proxy Evaluations: people's preferences, and answers a program checked (2410.14872).

Human preference: the share of pairs whose preferred answer scores higher; pairs that people tied
are left out. Correctness: the share of a set's sampled conflicting pairs (one right, one wrong)
ordered rightly, and the share of prompts whose highest-scored answer is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from training.bench.rewards.items import Item
from training.core.statistics import Floats

FLAGS = ("hard_prompt", "easy_prompt", "if_prompt", "math_prompt", "is_code")


def preference(items: Sequence[Item], scores: Sequence[Floats]) -> dict[str, Any]:
    """Score over all pairs that people did not tie; shares by what the prompt is."""
    decided = [n for n, item in enumerate(items) if len(item.right) == 1]
    right = {n: bool(scores[n][items[n].right[0]] > scores[n][items[n].wrong[0]]) for n in decided}
    flags = {name: [n for n in decided if items[n].row.get(name) is True] for name in FLAGS}
    parts = {
        name: {"accuracy": float(np.mean([right[n] for n in places])), "rows": len(places)}
        for name, places in flags.items()
        if places
    }
    mean = float(np.mean(list(right.values()))) if right else None
    return {"score": mean, "parts": parts, "ties": len(items) - len(decided)}


def correctness(items: Sequence[Item], scores: Sequence[Floats]) -> dict[str, Any]:
    """Score over the sampled conflicting pairs, and how often the best-scored answer is right."""
    ordered: list[bool] = []
    best: list[float] = []
    for item, each in zip(items, scores, strict=True):
        for one, two in item.row["sampled_conflict_pairs"]:
            right, wrong = (one, two) if one in item.right else (two, one)
            ordered.append(bool(each[right] > each[wrong]))
        known = np.isfinite(each)
        top = np.flatnonzero(each == each[known].max()) if known.any() else np.array([], int)
        best.append(float(np.isin(top, item.right).mean()) if len(top) else 0.0)
    return {
        "score": float(np.mean(ordered)) if ordered else None,
        "conflicts": len(ordered),
        "parts": {"best of all": {"accuracy": float(np.mean(best)), "rows": len(items)}},
    }
