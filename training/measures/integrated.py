"""A logistic regression of models on instructions whose difficulties are integrated out.

P(row) = expit(ability + slope x length + difficulty), difficulty ~ normal(confounding x the mean
length feature of its instruction, spread). The integral is Gauss-Hermite's; the preferences may be
any number in [0, 1], each as so much of a win and so much of a loss.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, special

from training.core.statistics import Floats

Ints = NDArray[np.intp]
Loss = Callable[[Floats], tuple[float, Floats]]

NODES = 20  # of the quadrature; 40 move no rate of the 15 models by .01 points
RIDGE = 1e-6  # keeps the ability of a model that always wins finite


@dataclass(frozen=True)
class Known:
    """What is known of a judge before the rows are seen, in logits.

    Attributes:
        slope: of tanh(standardised length difference), on average over models.
        slope_spread: how uncertain that average is.
        own_slope: how much a model's own slope differs from it.
        difficulty: spread of the instructions' difficulties; None where it is not known.
        confounding: by how much an instruction is easier where the answers' length feature is 1
            above its mean.
    """

    slope: float
    slope_spread: float
    own_slope: float
    difficulty: float | None
    confounding: float


@dataclass(frozen=True)
class Judged:
    """Judged answers as arrays.

    Args:
        model: 0-based number of each answer's model.
        instruction: 0-based number of each answer's instruction.
        preference: P(the answer is preferred to the baseline's), in [0, 1].
        length: `length_control.difference` of each answer.
    """

    model: Ints
    instruction: Ints
    preference: Floats
    length: Floats


@dataclass(frozen=True)
class Posterior:
    """Rows in the order of their instructions, and the prior of the coefficients.

    Attributes:
        starts: the first row of each instruction.
        shift: by instruction, the mean of its difficulty.
        centre, precision: of the coefficients: abilities, then slopes.
        spread: of the difficulties.
    """

    rows: Judged
    starts: Ints
    shift: Floats
    centre: Floats
    precision: Floats
    spread: float

    def at_spread(self, spread: float) -> Posterior:
        """The same rows with another spread of the difficulties."""
        return replace(self, spread=spread)

    def loss(self, at: Floats) -> tuple[float, Floats]:
        """Minus the log posterior at abilities and slopes, and its gradient."""
        value, slope, _ = self._parts(at)
        return value, slope

    def with_spread(self, at: Floats) -> tuple[float, Floats]:
        """`loss` with the log of the difficulties' spread as a last coefficient."""
        value, slope, wider = self.at_spread(float(np.exp(at[-1])))._parts(at[:-1])
        return value, np.r_[slope, wider]

    def nodes(self) -> tuple[Floats, Floats]:
        """Where a difficulty is looked at, from its mean, and the weight of each place."""
        if self.spread == 0.0:
            return np.zeros(1), np.ones(1)
        places, weights = np.polynomial.hermite_e.hermegauss(NODES)
        return self.spread * places, weights / weights.sum()

    def places(self, at: Floats) -> tuple[Floats, Floats, Floats]:
        """Predicted preferences (rows, nodes), P(node) by instruction, log of the integrals."""
        models = len(at) // 2
        nodes, weights = self.nodes()
        rows = self.rows
        logit = (
            at[rows.model] + at[models + rows.model] * rows.length + self.shift[rows.instruction]
        )
        odds = np.exp(np.minimum(logit, 300.0))[:, None] * np.exp(nodes)
        each = rows.preference[:, None] * (logit[:, None] + nodes) - np.log1p(odds)
        chance = np.add.reduceat(each, self.starts, axis=0) + np.log(weights)
        top = chance.max(axis=1)
        chance = np.exp(chance - top[:, None])
        total = chance.sum(axis=1)
        return odds / (1.0 + odds), chance / total[:, None], top + np.log(total)

    def _parts(self, at: Floats) -> tuple[float, Floats, float]:
        models, rows = len(at) // 2, self.rows
        predicted, chance, integrals = self.places(at)
        off = (predicted - rows.preference[:, None]) * chance[rows.instruction]
        mean = off.sum(axis=1)
        away = at - self.centre
        pull = self.precision @ away
        slope = np.r_[
            np.bincount(rows.model, mean, models),
            np.bincount(rows.model, mean * rows.length, models),
        ]
        wider = float((off.sum(axis=0) * self.nodes()[0]).sum())
        return float(away @ pull / 2 - integrals.sum()), slope + pull, wider


def prepare(rows: Judged, known: Known) -> Posterior:
    """Rows in order of instruction and model, with the prior that `known` says.

    Instructions without a row are left out, so their numbers may change.
    """
    order = np.lexsort((rows.model, rows.instruction))
    _, instruction = np.unique(rows.instruction[order], return_inverse=True)
    length = rows.length[order]
    ordered = Judged(rows.model[order], instruction, rows.preference[order], length)
    models = int(rows.model.max()) + 1
    middle = np.bincount(ordered.model, length) / np.bincount(ordered.model)
    above = np.bincount(instruction, length - middle[ordered.model]) / np.bincount(instruction)
    starts = np.flatnonzero(np.r_[True, np.diff(instruction) > 0])
    slopes = known.own_slope**2 * np.eye(models) + known.slope_spread**2
    precision = np.zeros((2 * models, 2 * models))
    precision[:models, :models] = RIDGE * np.eye(models)
    precision[models:, models:] = np.linalg.inv(slopes)
    centre = np.repeat([0.0, known.slope], models)
    spread = 0.0 if known.difficulty is None else known.difficulty
    return Posterior(ordered, starts, known.confounding * above, centre, precision, spread)


def rates(posterior: Posterior, at: Floats) -> tuple[Floats, Floats]:
    """Mean predicted preference of each model at equal length, and its standard error.

    The error is the infinitesimal jackknife's over instructions (Efron 2014): the derivative of the
    rates by each instruction's weight, through the coefficients too.
    """
    moved = Moments(posterior, at)
    mean = moved.rate.mean(axis=0)
    count = len(moved.rate)
    pulled = np.linalg.solve(moved.hessian, moved.score.T)  # coefficients by instruction
    influence = (moved.rate - mean) / count - (moved.gradient @ pulled).T
    errors = np.sqrt((influence**2).sum(axis=0) * count / max(count - 1, 1))
    return mean, errors


class Moments:
    """Sums over the nodes that the rates and their errors need.

    Attributes:
        rate: (instructions, models) predicted preference at equal length.
        score: (instructions, coefficients) gradient of minus the log likelihood.
        hessian: of minus the log posterior.
        gradient: (models, coefficients) of the mean rates.
    """

    def __init__(self, posterior: Posterior, at: Floats) -> None:
        models = len(at) // 2
        predicted, chance, _ = posterior.places(at)
        nodes, _ = posterior.nodes()
        count = len(posterior.starts)
        design = _design(posterior.rows, models)
        self.rate = np.zeros((count, models))
        self.score = np.zeros((count, 2 * models))
        self.hessian = posterior.precision.copy()
        bend = np.zeros(models)
        crossed = np.zeros((models, 2 * models))
        for node, place in enumerate(nodes):
            weight = chance[:, node, None]
            off = predicted[:, node] - posterior.rows.preference
            score = _summed(posterior, off, design)
            rate = special.expit(at[:models] + (posterior.shift + place)[:, None])
            self.rate += weight * rate
            self.score += weight * score
            self.hessian -= (weight * score).T @ score
            bend += (weight * rate * (1.0 - rate)).sum(axis=0)
            crossed += (weight * rate).T @ score
        each = (predicted * (1.0 - predicted) * chance[posterior.rows.instruction]).sum(axis=1)
        self.hessian += (design.T @ (sparse.diags_array(each) @ design)).toarray()
        self.hessian += self.score.T @ self.score
        self.gradient = (self.rate.T @ self.score - crossed) / count
        self.gradient[:, :models] += np.diag(bend) / count


def _design(rows: Judged, models: int) -> sparse.csr_array:
    """What each row multiplies: its model's ability and slope."""
    every = np.arange(len(rows.model))
    values = np.r_[np.ones(len(every)), rows.length]
    columns = np.r_[rows.model, models + rows.model]
    shape = (len(every), 2 * models)
    return sparse.csr_array((values, (np.tile(every, 2), columns)), shape=shape)


def _summed(posterior: Posterior, off: Floats, design: sparse.csr_array) -> Floats:
    """(instructions, coefficients): the rows' residuals times what they multiply, added up."""
    count, rows = len(posterior.starts), len(off)
    every = np.arange(rows)
    gather = sparse.csr_array((off, (posterior.rows.instruction, every)), shape=(count, rows))
    summed: Floats = (gather @ design).toarray()
    return summed
