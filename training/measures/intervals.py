"""Intervals and tests where several rows are of one prompt: the prompt is what varies by chance.

Two pairs of one prompt are often right or wrong together, so rows tell less than their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.core.statistics import Floats

Z95 = 1.959963984540054
Ints = NDArray[np.intp]


def wilson(right: float, rows: float) -> tuple[float, float]:
    """Wilson's 95% interval of a share; `right` may hold halves for ties, which SciPy's can't."""
    share, square = right / rows, Z95**2
    middle = (share + square / (2 * rows)) / (1 + square / rows)
    spread = share * (1 - share) / rows + square / (4 * rows**2)
    half = Z95 * spread**0.5 / (1 + square / rows)
    return max(0.0, middle - half), min(1.0, middle + half)


def clustered(right: Floats, groups: Sequence[str] | Ints) -> tuple[float, float]:
    """The 95% interval of a share of rows in groups: Wilson's, at the effective number of rows.

    That number is what rows of their own would need for the variance that the groups show, made
    smaller for the few groups that the variance is known from (Korn and Graubard 1998).

    Args:
        right: 1, 0 or a half by row.
        groups: the prompt of each row.
    """
    share, rows = float(right.mean()), len(right)
    count, sums = _sums(right - share, groups)
    if count == rows:
        return wilson(float(right.sum()), rows)
    if count == 1:
        return 0.0, 1.0
    variance = _variance(sums, rows)
    alone = share * (1.0 - share)
    if alone == 0.0:
        effective = float(count)
    else:
        effective = min(float(rows), alone / variance) if variance > 0.0 else float(rows)
    effective *= (Z95 / _t(count)) ** 2
    return wilson(share * effective, effective)


def paired(left: Floats, right: Floats, groups: Sequence[str] | Ints) -> dict[str, Any]:
    """How much better `left` is on the same rows, with a t test over groups.

    Args:
        left, right: what two judges got right, row by row.
        groups: the prompt of each row.

    Returns:
        difference of the means, se, low and high of the 95% interval, p (two-sided), prompts.
    """
    from scipy import stats

    apart = left - right
    mean, rows = float(apart.mean()), len(apart)
    count, sums = _sums(apart - mean, groups)
    found = {"difference": mean, "prompts": count}
    if count == 1:
        return found | {"se": None, "low": None, "high": None, "p": None}
    error = _variance(sums, rows) ** 0.5
    half = _t(count) * error
    if error > 0.0:
        chance = float(2.0 * stats.t.sf(abs(mean) / error, count - 1))
    else:  # all rows say the same: a sign test of the prompts
        chance = min(1.0, 2.0 ** (1 - count)) if mean else 1.0
    return found | {"se": error, "low": mean - half, "high": mean + half, "p": chance}


def holm(chances: Sequence[float | None]) -> list[float | None]:
    """p values corrected for their number, so that one false find in twenty families is left.

    Holm 1979; None stays None and counts for nothing.
    """
    known = [n for n, p in enumerate(chances) if p is not None and np.isfinite(p)]
    found: list[float | None] = [None] * len(chances)
    highest = 0.0
    for rank, place in enumerate(sorted(known, key=lambda n: (chances[n], n))):
        highest = max(highest, min(1.0, (len(known) - rank) * float(chances[place] or 0.0)))
        found[place] = highest
    return found


def _sums(away: Floats, groups: Sequence[str] | Ints) -> tuple[int, Floats]:
    _, place = np.unique(np.asarray(groups), return_inverse=True)
    sums: Floats = np.bincount(place, away).astype(np.float64)
    return len(sums), sums


def _variance(sums: Floats, rows: int) -> float:
    """Of a mean over rows, from the sums of the deviations in each group."""
    count = len(sums)
    return float((sums**2).sum() * count / (count - 1) / rows**2)


def _t(count: int) -> float:
    from scipy import stats

    return float(stats.t.ppf(0.975, count - 1))
