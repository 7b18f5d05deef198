"""Win rates as they would be at equal length: a logistic regression in AlpacaEval 2's manner.

Dubois et al. 2024 (arXiv 2404.04475): logit P(model beats baseline on x) = ability of the model
+ slope x tanh(length difference / its spread) + difficulty of the instruction; the win rate at
equal length is the mean prediction with the length difference set to 0. Here one slope is shared
by all models of a file, and difficulties are fitted with them (shrunk to 0), not downloaded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse, special

from training.core.statistics import Floats

Ints = NDArray[np.intp]

DRAWS = 100  # of the bootstrap
TOLERANCE = 1e-6  # of the mean change of a coefficient in the last step
RIDGE = 1e-6  # keeps the ability of a model that always wins finite
MIN_SHARED = 3  # models from which an instruction's usual length can be read


@dataclass(frozen=True)
class Slope:
    """What is known of the slope before the rows are seen: a normal with this mean and spread."""

    mean: float
    spread: float


# The published weights of 190 models under GPT-4 turbo (alpaca_eval, length_controlled_v1) have the
# mean 1.6: it takes the place of the two artificial baselines that regularise the original.
GPT4_TURBO = Slope(1.6, 0.1)
UNKNOWN = Slope(0.0, 10.0)


@dataclass(frozen=True)
class Judged:
    """Judged answers as arrays.

    Args:
        model: 0-based number of each answer's model.
        instruction: 0-based number of each answer's instruction.
        preference: P(the answer is preferred to the baseline's), in [0, 1].
        length: `difference` of each answer.
    """

    model: Ints
    instruction: Ints
    preference: Floats
    length: Floats


@dataclass(frozen=True)
class Fit:
    """Abilities by model, the slope, difficulties by instruction (logits)."""

    ability: Floats
    slope: float
    difficulty: Floats

    def win_rates(self) -> Floats:
        """Mean predicted preference of each model at equal length, in [0, 1]."""
        rates: Floats = special.expit(self.ability[:, None] + self.difficulty).mean(axis=1)
        return rates


def difference(model: Ints, chars: Floats, baseline: Floats) -> Floats:
    """tanh of the length difference to the baseline in units of its spread for each model."""
    delta = chars - baseline
    sums, count = np.bincount(model, delta), np.bincount(model)
    centred = delta - (sums / count)[model]
    spread = np.sqrt(np.bincount(model, centred**2) / np.maximum(count - 1, 1))
    scaled: Floats = np.tanh(delta / np.where(spread > 0, spread, 1.0)[model])
    return scaled


def usual_length(instruction: Ints, chars: Floats, mean: float) -> Floats:
    """Per row the median length of all models' answers to its instruction, scaled to a mean.

    It stands in for the baseline's answer where only the baseline's mean length is known.
    """
    order = np.lexsort((chars, instruction))
    counts = np.bincount(instruction)
    ends = np.cumsum(counts)
    low, high = ends - counts + (counts - 1) // 2, ends - counts + counts // 2
    medians = (chars[order][low] + chars[order][high]) / 2
    scaled: Floats = (medians * (mean / medians.mean()))[instruction]
    return scaled


def fit(rows: Judged, known: Slope, weights: Floats | None = None, start: Fit | None = None) -> Fit:
    """Maximum a posteriori fit: a logistic regression with a normal prior of each coefficient.

    Args:
        rows: the judged answers.
        known: of the slope.
        weights: of the rows; 1 where not given.
        start: where the search begins.
    """
    models, items = int(rows.model.max()) + 1, int(rows.instruction.max()) + 1
    sizes = [models, 1, items]
    # With one model, a difficulty per row would explain everything: shrink it away.
    shrink = 1.0 if models > 1 else 1e6
    precision = np.repeat([RIDGE, known.spread**-2, shrink], sizes)
    centre = np.repeat([0.0, known.mean, 0.0], sizes)
    design = _design(rows, models, items)
    posterior = _Posterior(design, rows.preference, weights, centre, precision)
    begin = centre if start is None else np.r_[start.ability, start.slope, start.difficulty]
    found = optimize.minimize(
        posterior.loss, begin, jac=posterior.gradient, hess=posterior.hessian, method="Newton-CG",
        options={"xtol": TOLERANCE},
    ).x  # fmt: skip
    return Fit(found[:models], float(found[models]), found[models + 1 :])


def _design(rows: Judged, models: int, items: int) -> sparse.csr_array:
    """What each row multiplies: its model's ability, the slope, its instruction's difficulty."""
    every = np.arange(len(rows.model))
    ones = np.ones(len(every))
    values = np.r_[ones, rows.length, ones]
    slope = np.full(len(every), models)
    columns = np.r_[rows.model, slope, models + 1 + rows.instruction]
    shape = (len(every), models + 1 + items)
    return sparse.csr_array((values, (np.tile(every, 3), columns)), shape=shape)


@dataclass(frozen=True)
class _Posterior:
    """Minus the log posterior of the coefficients, up to a constant."""

    design: sparse.csr_array
    preference: Floats
    weights: Floats | None
    centre: Floats
    precision: Floats

    def loss(self, at: Floats) -> float:
        logit = self.design @ at
        each = np.logaddexp(0.0, logit) - self.preference * logit
        prior = (self.precision * (at - self.centre) ** 2).sum() / 2
        return float(self._weighed(each).sum() + prior)

    def gradient(self, at: Floats) -> Floats:
        off = self._weighed(special.expit(self.design @ at) - self.preference)
        slope: Floats = self.design.T @ off + self.precision * (at - self.centre)
        return slope

    def hessian(self, at: Floats) -> sparse.csr_array:
        chance = special.expit(self.design @ at)
        bend = self._weighed(chance * (1.0 - chance))
        return self.design.T @ (sparse.diags_array(bend) @ self.design) + sparse.diags_array(
            self.precision
        )

    def _weighed(self, each: Floats) -> Floats:
        return each if self.weights is None else self.weights * each


def standard_errors(rows: Judged, known: Slope, seed: int) -> Floats:
    """Bootstrap standard errors of the win rates: instructions are drawn, rows follow them."""
    whole = fit(rows, known)
    generator = np.random.default_rng(seed)
    items = len(whole.difficulty)
    rates = []
    for _ in range(DRAWS):
        drawn = np.bincount(generator.integers(0, items, items), minlength=items).astype(float)
        again = fit(rows, known, drawn[rows.instruction], whole)
        predicted = special.expit(again.ability[:, None] + again.difficulty)
        rates.append((predicted * drawn).sum(axis=1) / drawn.sum())
    errors: Floats = np.std(rates, axis=0, ddof=1)
    return errors
