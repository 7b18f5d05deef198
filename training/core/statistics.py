"""Means with standard errors, correlations within prompts, bootstrap intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_ROUNDING = 1e-12  # of a value's size: means of equal numbers are that equal


def mean_se(values: Sequence[float] | Floats, groups: Sequence[str]) -> dict[str, float | int]:
    """Mean over groups of the group means, and its standard error.

    Responses to one prompt are not independent, so the prompt is the unit (groups = prompt ids).

    Returns:
        mean, se (0 for a single group) and n, the number of groups.
    """
    means = group_means(np.asarray(values, dtype=np.float64), groups)
    spread = float(means.std(ddof=1)) if len(means) > 1 else 0.0
    return {"mean": float(means.mean()), "se": spread / len(means) ** 0.5, "n": len(means)}


def group_means(values: Floats, groups: Sequence[str]) -> Floats:
    """The mean of each group, in the order of the groups' names."""
    _, place = np.unique(np.asarray(groups), return_inverse=True)
    return np.bincount(place, weights=values) / np.bincount(place)


def pearson(x: Floats, y: Floats) -> float:
    """Pearson's correlation; NaN when either side does not vary beyond rounding.

    NumPy's, once for each prompt: SciPy's gives the same in 16 times the time, for its p-value.
    """
    return float(np.corrcoef(x, y)[0, 1]) if _varies(x) and _varies(y) else float("nan")


def _varies(values: Floats) -> bool:
    """Whether the values differ by more than the means of equal ones do."""
    return bool(np.ptp(values) > _ROUNDING * np.abs(values).max())


def spearman(x: Floats, y: Floats) -> float:
    """Spearman's rank correlation, ties averaged; NaN when either side does not vary."""
    from scipy.stats import rankdata  # takes half a second to import

    return pearson(rankdata(x), rankdata(y))


def bootstrap(values: Floats, seed: int, draws: int = 1000) -> tuple[float, float]:
    """The 95% percentile interval of the mean over resampled values."""
    generator = np.random.default_rng(seed)
    index = generator.integers(0, len(values), size=(draws, len(values)))
    low, high = np.quantile(values[index].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def distinct(texts: Sequence[str], size: int) -> list[float]:
    """Per text the share of its word n-grams that are different; 1 for texts shorter than n."""
    result = []
    for text in texts:
        words = text.split()
        grams = [tuple(words[i : i + size]) for i in range(len(words) - size + 1)]
        result.append(len(set(grams)) / len(grams) if grams else 1.0)
    return result


def order_agreement(ours: Floats, theirs: Floats, groups: Sequence[str]) -> dict[str, float | int]:
    """Share of the pairs within a group that both sides put in the same order.

    Pairs that `theirs` ties don't count; a pair that `ours` ties counts half.

    Returns:
        accuracy (NaN without any pair) and pairs.
    """
    _, place = np.unique(np.asarray(groups), return_inverse=True)
    order = np.argsort(place, kind="stable")
    agreed, pairs = 0.0, 0
    for members in np.split(order, np.cumsum(np.bincount(place))[:-1]):
        first, second = np.triu_indices(len(members), 1)
        a = np.sign(ours[members[first]] - ours[members[second]])
        b = np.sign(theirs[members[first]] - theirs[members[second]])
        agreed += float(((1 + a * b) / 2)[b != 0].sum())
        pairs += int((b != 0).sum())
    return {"accuracy": agreed / pairs if pairs else float("nan"), "pairs": pairs}
