"""How far reviewers agree beyond chance."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import polars as pl

from curation.review.decisions import latest


def agreement(decisions: pl.DataFrame) -> dict[str, Any]:
    """Agreement of the reviewers' last words on the comparisons that several of them decided.

    A label is the response preferred, or drop, so it does not depend on which way round the pair
    stood. Cohen's kappa per pair of reviewers (Cohen 1960), Krippendorff's
    alpha for nominal data over all (Krippendorff 2011); null where chance alone would agree.

    Returns:
        reviewers, comparisons, shared (decided by at least two), alpha, pairs: a list of
        {a, b, shared, same, kappa}.
    """
    said = latest(decisions).with_columns(
        label=pl.when(pl.col("says") == "drop")
        .then(pl.lit("drop"))
        .when(pl.col("says") == pl.col("comparison"))
        .then(pl.lit("first"))
        .otherwise(pl.lit("second"))
    )
    units = said.group_by("comparison", maintain_order=True).agg("reviewer", "label")
    by_unit = [dict(zip(names, labels, strict=True)) for _, names, labels in units.iter_rows()]
    reviewers = sorted(set(said["reviewer"].to_list()))
    return {
        "reviewers": reviewers,
        "comparisons": len(by_unit),
        "shared": sum(1 for unit in by_unit if len(unit) > 1),
        "alpha": alpha([list(unit.values()) for unit in by_unit]),
        "pairs": [_between(by_unit, a, b) for a, b in combinations(reviewers, 2)],
    }


def _between(units: list[dict[str, str]], a: str, b: str) -> dict[str, Any]:
    both = [(unit[a], unit[b]) for unit in units if a in unit and b in unit]
    same = sum(1 for one, other in both if one == other) / len(both) if both else None
    return {"a": a, "b": b, "shared": len(both), "same": same, "kappa": kappa(both)}


def kappa(both: list[tuple[str, str]]) -> float | None:
    """Cohen's kappa of two reviewers' labels; None where chance alone would always agree."""
    if not both:
        return None
    from sklearn.metrics import cohen_kappa_score  # takes a second to import

    first, second = zip(*both, strict=True)
    return float(cohen_kappa_score(first, second)) if len({*first, *second}) > 1 else None


def alpha(units: list[list[str]]) -> float | None:
    """Krippendorff's alpha for nominal labels, units of one label left out; None if undefined.

    Args:
        units: the labels given to each unit, at most one per reviewer, missing ones left out.
    """
    shared = [unit for unit in units if len(unit) > 1]
    labels = sorted({label for unit in shared for label in unit})
    if len(labels) < 2:
        return None
    counts = np.array([[unit.count(label) for label in labels] for unit in shared], dtype=float)
    sizes = counts.sum(axis=1)
    within = ((sizes**2 - (counts**2).sum(axis=1)) / (sizes - 1)).sum()
    total = counts.sum(axis=0)
    between = (total.sum() ** 2 - (total**2).sum()) / (total.sum() - 1)
    return float(1 - within / between)
