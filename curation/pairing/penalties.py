"""Reward against length within each prompt: moments, Pearson, and the penalty that zeroes it.

Everything here works on flat arrays and a grouping of their rows, never on text, so 1.6M
responses take a fraction of a second: SciPy's Pearson, one prompt a call, would take minutes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from curation.core.grouped import Groups
from curation.pairing.responses import Responses
from curation.pairing.scale import Floats

_NOISE = 1e-18  # variance this far below its own parts is rounding, not spread
_STEPS = 200
_CLOSE = {"xtol": 1e-300, "rtol": 4 * float(np.finfo(np.float64).eps)}  # the closest SciPy takes


@dataclass(frozen=True)
class Moments:
    """Centred sums of each prompt: reward squared, length squared, their product."""

    reward: Floats
    length: Floats
    product: Floats


def resolved(penalty: float | Literal["auto"], loaded: Iterable[Responses]) -> float:
    """The length penalty as a number: the one given, or the automatic one of all parts together.

    Args:
        penalty: as params.yaml states it.
        loaded: the parts of an iteration; a number reads none of them, "auto" each for a moment.
    """
    if penalty != "auto":
        return penalty
    parts = [moments(one.groups, one.reward, one.length) for one in loaded]
    names = ("reward", "length", "product")
    return auto_penalty(
        Moments(*(np.concatenate([getattr(one, name) for one in parts]) for name in names))
    )


def moments(groups: Groups, reward: Floats, length: Floats) -> Moments:
    """Centred moments of every group; a constant column gives exactly zero."""
    found = np.zeros((3, groups.counts.size))
    for which, rows in groups.blocks():
        across = np.ascontiguousarray(rows.T)
        r, n = (_centred(values[across]) for values in (reward, length))
        found[:, which] = (r * r).sum(axis=0), (n * n).sum(axis=0), (r * n).sum(axis=0)
    return Moments(*found)


def _centred(values: Floats) -> Floats:
    """Less the mean of each column."""
    shifted = values - values[0]  # constant columns become exact zeros
    return np.asarray(shifted - shifted.mean(axis=0))


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

    Each prompt's correlation falls as the penalty grows, so the mean crosses zero once, or with
    two responses a prompt is zero between two penalties: then it is one between. 0.0 where no
    prompt has both its rewards and its lengths varying.
    """
    usable = (within.length > 0) & (within.reward > 0)
    if not usable.any():
        return 0.0
    from scipy.optimize import brentq  # only a recipe with `auto` needs it

    kept = Moments(within.reward[usable], within.length[usable], within.product[usable])
    found = brentq(lambda penalty: _mean(kept, penalty), *_bracket(kept), **_CLOSE, maxiter=_STEPS)
    return float(f"{found:.12g}")


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
