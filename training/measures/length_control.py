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
from scipy import special

from training.core.statistics import Floats

Ints = NDArray[np.intp]

DRAWS = 100  # of the bootstrap
STEPS = 100  # at most, of Newton's method
TOLERANCE = 1e-9  # of the loss
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
    """Maximum a posteriori fit by Newton's method; halved steps keep it going uphill.

    Args:
        known: of the slope.
        weights: of the rows; 1 where not given.
        start: where the search begins.
    """
    models, items = int(rows.model.max()) + 1, int(rows.instruction.max()) + 1
    row_weights = np.ones(len(rows.model)) if weights is None else weights
    # With one model, a difficulty per row would explain everything: shrink it away.
    system = _System(rows, known, row_weights, models, items, 1.0 if models > 1 else 1e6)
    now = start or Fit(np.zeros(models), known.mean, np.zeros(items))
    value = system.loss(now)
    for _ in range(STEPS):
        step, size = system.newton(now), 1.0
        after = _moved(now, step, size)
        while (new := system.loss(after)) > value + 1e-9 and size > 1e-6:
            size /= 2
            after = _moved(now, step, size)
        gained, now, value = value - new, after, new
        if gained < TOLERANCE:
            break
    return now


def _moved(now: Fit, step: Fit, size: float) -> Fit:
    return Fit(
        now.ability - size * step.ability,
        now.slope - size * step.slope,
        now.difficulty - size * step.difficulty,
    )


@dataclass(frozen=True)
class _System:
    """The loss (minus log posterior) and its Newton step; difficulties are eliminated first."""

    rows: Judged
    known: Slope
    weights: Floats
    models: int
    items: int
    shrink: float

    def _logit(self, at: Fit) -> Floats:
        difficulty = at.difficulty[self.rows.instruction]
        logit: Floats = at.ability[self.rows.model] + at.slope * self.rows.length + difficulty
        return logit

    def loss(self, at: Fit) -> float:
        logit = self._logit(at)
        each = np.logaddexp(0.0, logit) - self.rows.preference * logit
        away = (at.slope - self.known.mean) / self.known.spread
        prior = away**2 + RIDGE * (at.ability**2).sum() + self.shrink * (at.difficulty**2).sum()
        return float((self.weights * each).sum() + prior / 2)

    def newton(self, at: Fit) -> Fit:
        """The step to take off: Hessian^-1 gradient, by the Schur complement of difficulties."""
        rows, models = self.rows, self.models
        chance = special.expit(self._logit(at))
        off = self.weights * (chance - rows.preference)
        curve = self.weights * chance * (1.0 - chance)
        gain = np.zeros(models + 1)
        gain[:models] = np.bincount(rows.model, off, models) + RIDGE * at.ability
        precision = self.known.spread**-2
        gain[models] = (off * rows.length).sum() + precision * (at.slope - self.known.mean)
        hard = np.bincount(rows.instruction, off, self.items) + self.shrink * at.difficulty
        corner = np.zeros((models + 1, models + 1))
        corner[np.arange(models), np.arange(models)] = (
            np.bincount(rows.model, curve, models) + RIDGE
        )
        cross = np.bincount(rows.model, curve * rows.length, models)
        corner[models, :models] = corner[:models, models] = cross
        corner[models, models] = (curve * rows.length**2).sum() + precision
        diagonal = np.bincount(rows.instruction, curve, self.items) + self.shrink
        cell = rows.model * self.items + rows.instruction
        side = np.zeros((models + 1, self.items))
        side[:models] = np.bincount(cell, curve, models * self.items).reshape(models, self.items)
        side[models] = np.bincount(rows.instruction, curve * rows.length, self.items)
        scaled = side / diagonal
        left, right = corner - scaled @ side.T, gain - scaled @ hard
        step = np.asarray(np.linalg.solve(left, right), dtype=np.float64)
        return Fit(step[:models], float(step[models]), (hard - side.T @ step) / diagonal)


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
