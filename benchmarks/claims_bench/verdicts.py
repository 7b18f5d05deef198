"""The rule by which a claim is judged, stated before any seed is run.

A part of a claim is one number per seed: the effect, whose sign is chosen so that the claim says it
lies above `over` (0, or minus a margin where the claim says "no worse"). With the two-sided 95%
t interval of the mean over seeds, the part holds if the whole interval lies above `over`, does not
hold if the whole interval lies below, and is undecided otherwise. A claim holds if all its parts
do, and does not hold if one of them does not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import stats

from training.measures import intervals

LEVEL = 0.05
Verdict = Literal["holds", "does not hold", "undecided"]


@dataclass(frozen=True)
class Measured:
    """One part's effects over seeds.

    Attributes:
        effects: one per seed; None where the seed cannot tell.
        over: the claim says that the effect is above this.
        se: standard error of the mean; NaN for one seed.
        low, high: the 95% t interval of the mean; infinite for one seed.
        p: two-sided, of a mean equal to `over`; NaN for one seed.
        corrected: p by Holm's method over all parts of all claims; p where none were told.
    """

    effects: tuple[float | None, ...]
    over: float
    mean: float
    se: float
    low: float
    high: float
    p: float = math.nan
    corrected: float = math.nan

    @property
    def corrected_verdict(self) -> Verdict:
        """The same rule with the p value corrected for the number of parts."""
        if not self.corrected < LEVEL:
            return "undecided"
        return "holds" if self.mean > self.over else "does not hold"

    @property
    def verdict(self) -> Verdict:
        """By the rule of this module."""
        if self.low > self.over:
            return "holds"
        return "does not hold" if self.high < self.over else "undecided"


def measure(effects: Sequence[float | None], over: float) -> Measured:
    """Mean, standard error and interval of what the seeds say."""
    known = np.array([effect for effect in effects if effect is not None], dtype=np.float64)
    if known.size == 0:
        return Measured(tuple(effects), over, math.nan, math.nan, -math.inf, math.inf)
    mean = float(known.mean())
    if known.size == 1:
        return Measured(tuple(effects), over, mean, math.nan, -math.inf, math.inf)
    se = float(known.std(ddof=1) / math.sqrt(known.size))
    half = float(stats.t.ppf(1 - LEVEL / 2, known.size - 1)) * se
    p = float(2 * stats.t.sf(abs(mean - over) / se, known.size - 1)) if se else float(mean == over)
    return Measured(tuple(effects), over, mean, se, mean - half, mean + half, p, p)


def corrected(parts: Sequence[Measured]) -> list[Measured]:
    """The parts of all claims with p values by Holm's method: one family."""
    found = intervals.holm([None if math.isnan(one.p) else one.p for one in parts])
    return [
        replace(one, corrected=math.nan if p is None else p)
        for one, p in zip(parts, found, strict=True)
    ]


def together(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict on a claim of several parts."""
    if "does not hold" in verdicts:
        return "does not hold"
    return "holds" if set(verdicts) == {"holds"} else "undecided"
