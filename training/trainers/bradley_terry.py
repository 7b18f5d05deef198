"""The linear head that Bradley-Terry likes best on fixed features, solved to its optimum.

Logistic regression of the differences chosen - rejected without an intercept, which no difference
can tell. Features are put on one scale first, and the scale is folded into the weights. SciPy's
L-BFGS in float64 on one thread: the same features give the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from curation.core.errors import UserError
from training.core.statistics import Floats

STRENGTHS = tuple(10.0 ** (power / 2) for power in range(-4, 5))  # .01 to 100
FOLDS = 5
NEAR = 1e-6  # the loss's slope by each weight, which is 0 at the optimum


@dataclass(frozen=True)
class Pairs:
    """Features of labelled pairs.

    Attributes:
        chosen, rejected: [pairs, width].
        margins: what each difference is to exceed; zeros where none is asked for.
        groups: what must not be parted by a fold, such as the pairs of one prompt.
    """

    chosen: Floats
    rejected: Floats
    margins: Floats
    groups: Sequence[str]


@dataclass(frozen=True)
class Solved:
    """A head and how it came about.

    Attributes:
        weights: [width], of the features as they are.
        loss: mean negative log-likelihood on the pairs it was fitted on.
        l2: the pull to zero that was used.
        held_out: mean accuracy over the folds that l2 was chosen by; None where it was given.
    """

    weights: Floats
    loss: float
    l2: float
    held_out: float | None
    steps: int


def solve(pairs: Pairs, l2: float | None, seed: int) -> Solved:
    """The head of least loss with `l2`, or with the strength that folds of the pairs like best.

    Args:
        seed: of the folds.

    Raises:
        UserError: too few groups to choose a strength by, or the solver found no optimum.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        scale = np.concatenate([pairs.chosen, pairs.rejected]).std(0, dtype=np.float64)
        scale[scale == 0] = 1.0
        gaps = (pairs.chosen.astype(np.float64) - pairs.rejected) / scale
        held_out = None
        if l2 is None:
            l2, held_out = _choose(gaps, pairs, seed)
        weights, steps = _fit(gaps, pairs.margins, l2)
        loss = float(np.logaddexp(0.0, pairs.margins - gaps @ weights).mean())
    return Solved(weights / scale, loss, l2, held_out, steps)


def _choose(gaps: Floats, pairs: Pairs, seed: int) -> tuple[float, float]:
    """The strength of least held-out loss, the greater of equals, and its accuracy."""
    names = sorted(set(pairs.groups))
    if len(names) < FOLDS:
        raise UserError(
            f"reward_model.l2: {len(names)} prompts are too few to choose it by; give a number"
        )
    dealt = np.random.default_rng(seed).permutation(len(names)) % FOLDS
    fold_of = dict(zip(names, dealt.tolist(), strict=True))
    folds = np.array([fold_of[name] for name in pairs.groups])
    tried = [_held_out(gaps, pairs.margins, folds, l2) for l2 in STRENGTHS]
    least = min(loss for loss, _ in tried)
    best = max(at for at, (loss, _) in enumerate(tried) if loss == least)
    return STRENGTHS[best], tried[best][1]


def _held_out(gaps: Floats, margins: Floats, folds: Floats, l2: float) -> tuple[float, float]:
    """Mean loss and accuracy (a tie counts half) on pairs that a head was not fitted on."""
    found = np.empty(len(gaps))
    for fold in range(FOLDS):
        out = folds == fold
        weights, _ = _fit(gaps[~out], margins[~out], l2)
        found[out] = gaps[out] @ weights
    right = (found > 0).mean() + (found == 0).mean() / 2
    return float(np.logaddexp(0.0, margins - found).mean()), float(right)


def _fit(gaps: Floats, margins: Floats, l2: float) -> tuple[Floats, int]:
    from scipy import optimize, special

    def loss(weights: Floats) -> tuple[float, Floats]:
        short = margins - gaps @ weights
        slope = gaps.T @ special.expit(short) / len(gaps)
        value = np.logaddexp(0.0, short).mean() + l2 / 2 * weights @ weights
        return float(value), l2 * weights - slope

    done = optimize.minimize(
        loss, np.zeros(gaps.shape[1]), jac=True, method="L-BFGS-B",
        options={"maxiter": 2000, "ftol": 0.0, "gtol": NEAR / 100},
    )  # fmt: skip
    # It stops where float64 tells no step from another; the slope says whether that is the end.
    if not np.abs(done.jac).max() <= NEAR:
        raise UserError(f"reward_model.l2: {l2:g} gives no optimum ({done.message}); raise it")
    weights: Floats = done.x
    return weights, int(done.nit)
