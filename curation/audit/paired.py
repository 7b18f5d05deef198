"""Differences between two policies on the same prompts, with errors that kinds are clustered by.

Prompts that ask for one kind of thing succeed and fail together, so a standard error over prompts
says too little; the one clustered by kind (Liang and Zeger 1986, with the usual correction for few
clusters) says what another draw of kinds would change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Change:
    """A mean difference: its standard error over prompts, and clustered by kind.

    An error is None where one prompt, or one kind, is all there is.
    """

    mean: float
    se: float | None
    se_kinds: float | None


def change(differences: Floats, kinds: Sequence[str]) -> Change:
    """The mean of the prompts' differences."""
    n = differences.size
    mean = float(differences.mean())
    se = float(differences.std(ddof=1) / n**0.5) if n > 1 else None
    ones = np.ones((n, 1))
    return Change(mean, se, _clustered(ones, differences - mean, kinds))


def at_equal_length(
    differences: Floats, lengths: Floats, before: Floats, kinds: Sequence[str]
) -> Change | None:
    """The difference that is left where both answers are equally long.

    The intercept of a regression of the differences on the differences of log(1 + length), which
    AlpacaEval's length-controlled win rate does to a logit (Dubois et al. 2024). None where
    lengths differ on no prompt, or too few prompts are there.
    """
    longer = np.log1p(lengths) - np.log1p(before)
    if differences.size < 3 or not np.ptp(longer) > 0:
        return None
    design = np.column_stack([np.ones_like(longer), longer])
    weights, *_ = np.linalg.lstsq(design, differences, rcond=None)
    rest = differences - design @ weights
    each = [str(number) for number in range(differences.size)]  # robust to unequal spread alone
    return Change(
        float(weights[0]), _clustered(design, rest, each), _clustered(design, rest, kinds)
    )


def _clustered(design: Floats, rest: Floats, clusters: Sequence[str]) -> float | None:
    """Standard error of the first weight by the sandwich of clustered sums."""
    names, place = np.unique(np.asarray(clusters), return_inverse=True)
    size, (n, k) = names.size, design.shape
    if size < 2 or n <= k:
        return None
    sums = np.zeros((size, k))
    np.add.at(sums, place, design * rest[:, None])
    bread = np.linalg.inv(design.T @ design)
    found = bread @ (sums.T @ sums) @ bread
    correction = size / (size - 1) * (n - 1) / (n - k)
    return float(np.sqrt(correction * found[0, 0]))
