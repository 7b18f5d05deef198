"""How good a judge is: accuracy with intervals, calibration, agreement, cycles.

Everything starts from P(first response better) on labelled comparisons.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.core.statistics import Floats
from training.measures.intervals import clustered, wilson

BINS = 10
CUTS = (0.2, 0.4, 0.6, 0.8)


def verdicts(chosen_wins: Floats) -> Floats:
    """1 where the judge agrees with the label, 0 where not, 0.5 for a tie."""
    right: Floats = (np.sign(chosen_wins - 0.5) + 1.0) / 2.0
    return right


def accuracy(right: Floats, prompts: Sequence[str] | None = None) -> dict[str, Any]:
    """accuracy, low and high of its 95% interval, pairs; those without a verdict are in none.

    Args:
        prompts: of each pair; the interval is over them, and their number is told. Without, every
            pair is taken to be of a prompt of its own.
    """
    known = np.isfinite(right)
    right = right[known]
    if not len(right):
        return {"accuracy": None, "low": None, "high": None, "pairs": 0}
    found = {"accuracy": float(right.mean()), "pairs": len(right)}
    if prompts is None:
        low, high = wilson(float(right.sum()), len(right))
        return {**found, "low": low, "high": high}
    groups = np.unique(np.asarray(prompts)[known], return_inverse=True)[1]
    low, high = clustered(right, groups)
    return {**found, "low": low, "high": high, "prompts": int(groups.max()) + 1}


def by_label(
    right: Floats, labels: Sequence[str], prompts: Sequence[str] | None = None
) -> dict[str, dict[str, Any]]:
    """`accuracy` of each label's rows, such as each source's."""
    names = np.asarray(labels)
    return {str(name): _part(right, names == name, prompts) for name in np.unique(names)}


def _part(right: Floats, where: NDArray[np.bool_], prompts: Sequence[str] | None) -> dict[str, Any]:
    own = None if prompts is None else np.asarray(prompts)[where].tolist()
    return accuracy(right[where], own)


def by_fifth(
    right: Floats, values: Floats, prompts: Sequence[str] | None = None
) -> list[dict[str, Any]]:
    """`accuracy` by fifths of a value (a length difference, a margin), with each bin's bounds.

    Values that are NaN are left out; equal values share a bin, so there may be fewer than five.
    """
    known = np.isfinite(values)
    if not known.any():
        return []
    edges = np.unique(np.quantile(values[known], CUTS))
    place = np.where(known, np.searchsorted(edges, values, side="left"), -1)
    return [
        {
            "from": float(values[place == number].min()),
            "to": float(values[place == number].max()),
            **_part(right, place == number, prompts),
        }
        for number in np.unique(place[known])
    ]


def calibration(chosen_wins: Floats) -> dict[str, Any]:
    """Expected calibration error over 10 equal bins of confidence, the bins, and the Brier score.

    Confidence is P of the judge's own pick, in [0.5, 1] (Guo et al. 2017, arXiv 1706.04599).
    """
    sure = np.maximum(chosen_wins, 1.0 - chosen_wins)
    right = verdicts(chosen_wins)
    place = np.minimum(((sure - 0.5) * 2 * BINS).astype(int), BINS - 1)
    bins = [
        {
            "confidence": float(sure[place == number].mean()),
            "accuracy": float(right[place == number].mean()),
            "pairs": int((place == number).sum()),
        }
        for number in np.unique(place)
    ]
    error = sum(item["pairs"] * abs(item["confidence"] - item["accuracy"]) for item in bins)
    return {
        "ece": float(error / len(sure)),
        "brier": float(((1.0 - chosen_wins) ** 2).mean()),
        "bins": bins,
    }


def kappa(left: NDArray[np.bool_], right: NDArray[np.bool_]) -> float:
    """Cohen's kappa of two judges' picks; NaN where chance alone would make them agree."""
    from sklearn.metrics import cohen_kappa_score  # takes a second to import

    if len(np.unique([left, right])) < 2:
        return float("nan")
    return float(cohen_kappa_score(left, right))


def agreement(picks: dict[str, NDArray[np.bool_]]) -> list[dict[str, Any]]:
    """Cohen's kappa and plain agreement of every two judges on the same comparisons."""
    return [
        {
            "judge": one,
            "other": other,
            "kappa": kappa(picks[one], picks[other]),
            "agreement": float((picks[one] == picks[other]).mean()),
            "pairs": len(picks[one]),
        }
        for one, other in itertools.combinations(sorted(picks), 2)
    ]


def triples(groups: Sequence[Sequence[str]]) -> Iterator[tuple[int, str, str, str]]:
    """(group number, a, b, c) for the first three different texts of every group that has them."""
    for number, texts in enumerate(groups):
        different = list(dict.fromkeys(texts))[:3]
        if len(different) == 3:
            yield number, different[0], different[1], different[2]


def cycle_rate(a_beats_b: Floats, b_beats_c: Floats, c_beats_a: Floats) -> dict[str, Any]:
    """Share of triples whose three verdicts form a cycle, with Wilson's interval.

    Picks at random form one in a quarter of the triples.
    """
    rows = len(a_beats_b)
    if rows == 0:
        return {"cycle_rate": None, "low": None, "high": None, "triples": 0}
    wins = np.stack([a_beats_b > 0.5, b_beats_c > 0.5, c_beats_a > 0.5])
    cycles = wins.all(axis=0) | (~wins).all(axis=0)
    low, high = wilson(float(cycles.sum()), rows)
    return {"cycle_rate": float(cycles.mean()), "low": low, "high": high, "triples": rows}
