"""Win rates as they would be at equal length: a logistic regression in AlpacaEval 2's manner.

Dubois et al. 2024 (arXiv 2404.04475): logit P(model beats baseline on x) = ability of the model
+ slope x tanh(length difference / its spread) + difficulty of the instruction; the win rate at
equal length is the mean prediction with the length difference set to 0. The original holds every
instruction's difficulty against files fitted on its whole leaderboard (`original_glm` does so where
they are given). Here the difficulties are unknown and integrated out, so that one model's file and
two hundred models' are the same estimate: with many models the rows tell an instruction's
difficulty, with one its spread alone counts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from training.core.statistics import Floats
from training.measures import integrated
from training.measures.integrated import Judged, Known

Ints = NDArray[np.intp]

TOLERANCE = 1e-5  # of the gradient, in rows
MIN_SHARED = 3  # models from which an instruction's usual length, or difficulty, can be read
SPREADS = (np.log(0.05), np.log(20.0))  # bounds of a difficulty spread that is fitted

# What is known of the weighted GPT-4 turbo that AlpacaEval 2 asks:
# slope: the mean of 198 published ones is 1.51 (alpaca_eval's weights/ of length_controlled_v1);
# own_slope: theirs spread by .39, most of it each one's own error;
# difficulty: the spread that gives the published win rates from the published weights is 1.43, that
# of the difficulties of 15 models fitted together 1.4;
# confounding: the regression of those difficulties on each of the 15 models' lengths, .83, rounded.
GPT4_TURBO = Known(slope=1.5, slope_spread=0.0, own_slope=0.2, difficulty=1.5, confounding=0.8)
# Nothing: the slope is the rows' own, alike but not equal among the models of one file.
UNKNOWN = Known(slope=0.0, slope_spread=10.0, own_slope=0.2, difficulty=None, confounding=0.0)
KNOWN_JUDGES = {"weighted_alpaca_eval_gpt4_turbo": GPT4_TURBO}


@dataclass(frozen=True)
class Fit:
    """What was fitted, in logits, and what follows from it.

    Attributes:
        ability: by model.
        slope: by model.
        difficulty: the spread of the instructions' difficulties.
        rates: by model, the mean predicted preference at equal length, in [0, 1].
        errors: by model, standard errors of the rates over instructions.
    """

    ability: Floats
    slope: Floats
    difficulty: float
    rates: Floats
    errors: Floats


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


def fit(rows: Judged, known: Known) -> Fit:
    """Abilities and slopes of greatest posterior density, the difficulties integrated out.

    The standard errors are those of resampled instructions, to first order: how much the rates
    move with the weight of each instruction (infinitesimal jackknife), all its rows together.

    Args:
        rows: the judged answers.
        known: of the judge. Where the spread of the difficulties is not, it is fitted if there are
            `MIN_SHARED` models, else taken to be 0: one model's rows don't show it.
    """
    models = int(rows.model.max()) + 1
    fitted = known.difficulty is None and models >= MIN_SHARED
    start = np.r_[np.full(models, _logit(rows.preference)), np.full(models, known.slope)]
    if known.difficulty is None:
        known = replace(known, difficulty=1.0 if fitted else 0.0)
    posterior = integrated.prepare(rows, known)
    if not fitted:
        found = _minimum(posterior.loss, start, [(None, None)] * len(start))
        return _told(posterior, found)
    found = _minimum(
        posterior.with_spread, np.r_[start, 0.0], [(None, None)] * len(start) + [SPREADS]
    )
    return _told(posterior.at_spread(float(np.exp(found[-1]))), found[:-1])


def alike(rows: Judged, known: Known) -> bool:
    """Whether rows of a judge that is not named show a taste for length, and one not below this.

    Above it they may well be: instructions that are hard for a model draw shorter answers, which
    adds to what looks like taste. Of 54 published models, each alone, all are alike; of as many
    with the same lengths and verdicts that don't look at them, none.
    """
    free = replace(UNKNOWN, difficulty=known.difficulty)
    found = fit(rows, free)
    at = np.r_[found.ability, found.slope]
    curved = integrated.Moments(integrated.prepare(rows, free), at).hessian
    models = len(found.slope)
    mean = np.r_[np.zeros(models), np.full(models, 1 / models)]
    error = float(np.sqrt(mean @ np.linalg.solve(curved, mean)))
    slope = float(found.slope.mean())
    return slope > 2 * error and slope + 2 * np.hypot(error, known.own_slope) > known.slope


def _minimum(
    loss: integrated.Loss, start: Floats, bounds: list[tuple[float | None, ...]]
) -> Floats:
    found = optimize.minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=bounds,
        options={"ftol": 0.0, "gtol": TOLERANCE, "maxiter": 1000},
    )  # fmt: skip
    best: Floats = found.x
    return best


def _told(posterior: integrated.Posterior, found: Floats) -> Fit:
    rates, errors = integrated.rates(posterior, found)
    ability, slope = np.split(found, 2)
    return Fit(ability, slope, posterior.spread, rates, errors)


def _logit(preference: Floats) -> float:
    mean = float(np.clip(preference.mean(), 0.01, 0.99))
    return float(np.log(mean / (1 - mean)))
