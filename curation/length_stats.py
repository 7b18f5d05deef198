"""Reward against length within each prompt: moments, Pearson, and the penalty that zeroes it.

Everything here works on flat arrays and a grouping of their rows, never on text, so 1.6M
responses take a fraction of a second.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_NOISE = 1e-18  # variance this far below its own parts is rounding, not spread
_STEPS = 200


@dataclass(frozen=True)
class Groups:
    """Rows of a frame by prompt: ``order`` holds row numbers, group after group."""

    order: Ints
    counts: Ints

    @property
    def starts(self) -> Ints:
        """Where each group begins in ``order``."""
        return np.concatenate([np.zeros(1, np.int64), np.cumsum(self.counts)[:-1]])


@dataclass(frozen=True)
class Moments:
    """Centred sums of each prompt: reward squared, length squared, their product."""

    reward: Floats
    length: Floats
    product: Floats


def group(keys: pl.Series) -> Groups:
    """Group rows by a key; groups come in the order of their first row."""
    rows = (
        pl.DataFrame({"key": keys})
        .with_row_index("row")
        .group_by("key", maintain_order=True)
        .agg(pl.col("row"))
    )
    lists = rows["row"]
    order = lists.explode(empty_as_null=False).cast(pl.Int64).to_numpy()
    return Groups(order, lists.list.len().cast(pl.Int64).to_numpy())


def moments(groups: Groups, reward: Floats, length: Floats) -> Moments:
    """Centred moments of every group; a constant column gives exactly zero."""
    if not groups.counts.size:
        none = np.zeros(0)
        return Moments(none, none, none)
    r, n = (_centred(groups, values) for values in (reward, length))
    at = groups.starts
    return Moments(
        np.add.reduceat(r * r, at), np.add.reduceat(n * n, at), np.add.reduceat(r * n, at)
    )


def _centred(groups: Groups, values: Floats) -> Floats:
    flat = values[groups.order].astype(np.float64)
    first = flat[groups.starts]
    shifted = flat - np.repeat(first, groups.counts)  # constant groups become exact zeros
    mean = np.add.reduceat(shifted, groups.starts) / groups.counts
    return shifted - np.repeat(mean, groups.counts)


def pearson(within: Moments, penalty: float = 0.0) -> Floats:
    """Pearson of (reward - penalty * length) and length per prompt; NaN where it is undefined."""
    product = within.product - penalty * within.length
    parts = within.reward + penalty * penalty * within.length
    spread = within.reward - 2 * penalty * within.product + penalty * penalty * within.length
    defined = (within.length > 0) & (spread > _NOISE * parts)
    scale = np.sqrt(np.where(defined, spread * within.length, 1.0))
    return np.where(defined, np.clip(product / scale, -1.0, 1.0), np.nan)


def mean_pearson(within: Moments, penalty: float = 0.0) -> float | None:
    """Mean of `pearson` over the prompts where it is defined; None where there are none."""
    values = pearson(within, penalty)
    values = values[~np.isnan(values)]
    return float(values.mean()) if values.size else None


def auto_penalty(within: Moments) -> float:
    """The penalty at which the mean within-prompt Pearson of adjusted reward and length is zero.

    Each prompt's correlation falls as the penalty grows, so the mean crosses zero once and
    bisection finds it. 0.0 where no prompt has both its rewards and its lengths varying.
    """
    usable = (within.length > 0) & (within.reward > 0)
    if not usable.any():
        return 0.0
    kept = Moments(within.reward[usable], within.length[usable], within.product[usable])
    low, high = _bracket(kept)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if _mean(kept, middle) > 0:
            low = middle
        else:
            high = middle
    return float(f"{(low + high) / 2:.12g}")


def _mean(within: Moments, penalty: float) -> float:
    found = mean_pearson(within, penalty)
    return 0.0 if found is None else found


def _bracket(within: Moments) -> tuple[float, float]:
    """Two penalties with a mean correlation above and not above zero."""
    width = float(np.sqrt(within.reward.sum() / within.length.sum()))
    low, high = -width, width
    for _ in range(_STEPS):
        if _mean(within, low) > 0:
            break
        low *= 2
    for _ in range(_STEPS):
        if _mean(within, high) <= 0:
            break
        high *= 2
    return low, high
