"""JudgeBench: pairs with one right answer, judged in both orders (arXiv 2410.12784).

A pair is right if, of its two games, more say so than say the contrary: one right and one tied is,
one right and one wrong is not. The overall figure of the paper and its board is micro, over all
pairs; the macro one is the mean of the four categories.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from training.bench.rewards.items import Item
from training.core.statistics import Floats

CATEGORIES = ("mmlu-pro", "livebench-reasoning", "livebench-math", "livecodebench")
FIRST, SECOND = "A>B", "B>A"
_FLIPPED = {FIRST: SECOND, SECOND: FIRST}

Decisions = tuple[str | None, ...]
"""What each game said, in the letters of that game: in the second, A is response B."""


def games(scores: Floats) -> Decisions:
    """Both games of a judge that scores responses one by one; the board's rule of a tie is B>A."""
    if np.isnan(scores).any():
        return None, None
    one, two = float(scores[0]), float(scores[1])
    return (FIRST if one > two else SECOND), (FIRST if two > one else SECOND)


def figures(items: Sequence[Item], decided: Sequence[Decisions]) -> dict[str, Any]:
    """Score (micro, both orders), macro, the first order alone, consistency; shares by category.

    Args:
        items: their group is the source, their first right place the label.
        decided: one game each, or two.
    """
    labels = [FIRST if item.right[0] == 0 else SECOND for item in items]
    right = np.array([_right(one, label) for one, label in zip(decided, labels, strict=True)])
    alone = np.array([one[0] == label for one, label in zip(decided, labels, strict=True)])
    groups = np.array([category(item.group) for item in items])
    parts = {
        str(name): {
            "accuracy": float(right[groups == name].mean()),
            "first_order": float(alone[groups == name].mean()),
            "rows": int((groups == name).sum()),
        }
        for name in np.unique(groups)
    }
    known = [parts[name]["accuracy"] for name in CATEGORIES if name in parts]
    both = [one for one in decided if len(one) > 1]
    return {
        "score": float(right.mean()),
        "mean": "micro: over pairs",
        "macro": float(np.mean(known)) if len(known) == len(CATEGORIES) else None,
        "first_order": float(alone.mean()),
        "games": 2 if len(both) == len(decided) else 1,
        "inconsistent": sum(_flip(one[1]) != one[0] for one in both),
        "parts": parts,
    }


def category(source: str) -> str:
    """The category of a row's source, such as mmlu-pro of mmlu-pro-law."""
    return next((name for name in CATEGORIES if source.startswith(name)), source)


def _right(decided: Decisions, label: str) -> bool:
    seen = [decided[0], *(_flip(one) for one in decided[1:])]
    return sum((one == label) - (one == _FLIPPED[label]) for one in seen) > 0


def _flip(decision: str | None) -> str | None:
    return decision if decision is None else _FLIPPED.get(decision, decision)
