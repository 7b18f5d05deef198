"""AlpacaEval's own length control against scikit-learn's cross-validated classifier."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special
from sklearn.linear_model import LogisticRegression

from curation.core.errors import UserError
from training.bench import original_glm
from training.bench.alpaca_eval import leaderboard
from training.bench.annotated import Annotation
from training.bench.original_glm import Ingredients

ITEMS = 60


@pytest.fixture
def ingredients() -> Ingredients:
    draw = np.random.default_rng(3)
    hard = draw.normal(0, 1, ITEMS)
    length = np.r_[draw.normal(-1, 1, ITEMS), draw.normal(1, 1, ITEMS)]
    gamed = special.expit(-1.5 * np.tanh(length) + np.tile(hard, 2))
    return Ingredients("df_gamed.csv", hard, np.tile(hard, 2), length, gamed)


def annotations() -> list[Annotation]:
    draw = np.random.default_rng(4)
    chars = draw.integers(100, 900, ITEMS)
    return [
        Annotation("tiny", str(item), 1 + float(draw.random() ** 2), int(chars[item]), 500, item)
        for item in range(ITEMS)
    ]


def test_a_models_coefficients_are_those_of_the_unpenalised_fit_where_rows_decide(
    ingredients: Ingredients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(original_glm, "PENALTIES", np.array([1e4]))
    rows = annotations()
    shorter = np.array([500.0 - row.chars for row in rows])
    length = np.tanh(shorter / shorter.std(ddof=1))
    own = np.stack([length, ingredients.difficulty, np.ones(ITEMS)], axis=1)
    taken = np.array([row.preference - 1 for row in rows])
    gamed = np.stack(
        [np.tanh(ingredients.gamed_length), ingredients.gamed_difficulty, np.zeros(2 * ITEMS)], 1
    )
    x, y = np.concatenate([own, gamed]), np.r_[taken, ingredients.gamed_preference]
    weight = np.repeat([1.0, 0.1], [ITEMS, 2 * ITEMS])
    plain = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-8).fit(
        np.tile(x, (2, 1)),
        np.repeat([1, 0], len(y)),
        sample_weight=np.r_[y * weight, (1 - y) * weight],
    )
    assert original_glm.coefficients(own, taken, ingredients) == pytest.approx(
        plain.coef_[0], abs=5e-3
    )


def test_the_leaderboard_takes_the_originals_ingredients(ingredients: Ingredients) -> None:
    (row,) = leaderboard(annotations(), ingredients=ingredients)
    assert 0 < row["length_controlled_winrate"] < 100
    assert row["length_control"]["fitted"].endswith("as the original does, with df_gamed.csv")


def test_rows_that_are_not_the_evaluation_set_are_refused(ingredients: Ingredients) -> None:
    more = [*annotations(), Annotation("tiny", "more", 1.5, 3, 4, ITEMS)]
    with pytest.raises(UserError, match="not one for each of the 60 instructions"):
        leaderboard(more, ingredients=ingredients)
