"""AlpacaEval's own length control, where the file it fits with is at hand.

The original (alpaca_eval, metrics/glm_winrate.py, length_controlled_v1) downloads `df_gamed.csv`:
the difficulty of each instruction, fitted once on its leaderboard, and the rows of two baselines
that were told to be verbose and concise. Each model is fitted by itself: preference by tanh of the
standardised length difference, difficulty, and ability, L1-penalised, the penalty chosen by five
folds; the gamed rows have no ability of their own, count a tenth each and hold the other two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from curation.core.errors import UserError
from training.core.statistics import Floats

if TYPE_CHECKING:
    from training.bench.annotated import Annotation

GAMED_WEIGHT = 0.2 / 2  # regularize_to_baseline_lambda, over two gamed baselines
FOLDS = 5
PENALTIES = np.logspace(-4, 4, 10)  # inverse strengths: scikit-learn's ten
SEED = 123


@dataclass(frozen=True)
class Ingredients:
    """What the original fits with, in the order of its evaluation set.

    Attributes:
        name: of the file.
        difficulty: by instruction.
        gamed_difficulty, gamed_length, gamed_preference: of the gamed rows; the length difference
            is the baseline's less the model's, over its spread.
    """

    name: str
    difficulty: Floats
    gamed_difficulty: Floats
    gamed_length: Floats
    gamed_preference: Floats


def board(
    rows: Mapping[str, Sequence[Annotation]], ingredients: Ingredients
) -> dict[str, dict[str, Any]]:
    """The length-controlled columns of each model, fitted by itself.

    Raises:
        UserError: a model has other than one row for each instruction, or a baseline's length is
            not known.
    """
    return {name: _one(name, found, ingredients) for name, found in rows.items()}


def _one(name: str, rows: Sequence[Annotation], ingredients: Ingredients) -> dict[str, Any]:
    count = len(ingredients.difficulty)
    places = [row.place for row in rows]
    if len(set(places)) != len(rows) or not set(places) <= set(range(count)):
        raise UserError(
            f"{name}: its rows are not one for each of the {count} instructions of "
            f"{ingredients.name}; give all of them, in AlpacaEval's order"
        )
    if any(row.baseline_chars is None for row in rows):
        raise UserError(f"{name}: the baseline's answers are not known; give them with --baseline")
    shorter = np.array([(row.baseline_chars or 0) - row.chars for row in rows], dtype=np.float64)
    own = ingredients.difficulty[places]
    design = np.stack([np.tanh(shorter / shorter.std(ddof=1)), own, np.ones(len(rows))], axis=1)
    preference = np.array([row.preference - 1.0 for row in rows])
    slope, weight, ability = coefficients(design, preference, ingredients)
    predicted = special.expit(weight * own + ability)
    return {
        "length_controlled_winrate": 100 * float(predicted.mean()),
        "lc_standard_error": 100 * float(predicted.std(ddof=1)) / len(rows) ** 0.5,
        "length_control": {
            "fitted": f"each model by itself, as the original does, with {ingredients.name}",
            "models": 1,
            "rows": len(rows),
            "difficulty_spread": float((weight * own).std()),
            "baseline_lengths": "of its own answers",
            "taste": "fitted, the gamed baselines' as a pull",
            "slope": -slope,
        },
    }


def coefficients(
    design: Floats, preference: Floats, ingredients: Ingredients
) -> tuple[float, float, float]:
    """Those of length, difficulty and ability.

    Args:
        design: (rows, 3): tanh of how much longer the baseline's answer is, difficulty, 1.
        preference: in [0, 1].
    """
    from sklearn.model_selection import GroupKFold

    gamed = np.stack(
        [
            np.tanh(ingredients.gamed_length),
            ingredients.gamed_difficulty,
            np.zeros(len(ingredients.gamed_length)),
        ],
        axis=1,
    )
    features = np.concatenate([gamed, design])
    target = np.concatenate([ingredients.gamed_preference, preference])
    weight = np.repeat([GAMED_WEIGHT, 1.0], [len(gamed), len(design)])
    each = np.arange(len(target))
    folds = GroupKFold(FOLDS).split(np.tile(each, 2), groups=np.tile(each, 2))
    losses = np.zeros(len(PENALTIES))
    for kept, _ in folds:
        rows = np.unique(kept[kept < len(target)])
        held = np.setdiff1d(each, rows)
        for place, penalty in enumerate(PENALTIES):
            found = _fit(features[rows], target[rows], weight[rows], penalty)
            logit = features[held] @ found
            loss = np.logaddexp(0.0, logit) - target[held] * logit
            losses[place] += (loss * weight[held]).mean()
    best = _fit(features, target, weight, PENALTIES[int(losses.argmin())])
    return float(best[0]), float(best[1]), float(best[2])


def _fit(features: Floats, target: Floats, weight: Floats, penalty: float) -> Floats:
    """L1-penalised coefficients: each row counts as so much of a win and so much of a loss."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(
        C=penalty, l1_ratio=1.0, solver="liblinear", fit_intercept=False, random_state=SEED
    )
    wins = np.repeat([1, 0], len(target))
    shares = np.concatenate([target * weight, (1.0 - target) * weight])
    found: Floats = model.fit(np.tile(features, (2, 1)), wins, sample_weight=shares).coef_[0]
    return found
