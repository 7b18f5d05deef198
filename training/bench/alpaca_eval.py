"""AlpacaEval: win rates against one baseline from annotations, as its leaderboard prints them.

A preference is a number from 1 (the baseline is better) to 2 (the model is better); the win rate is
mean(preference - 1) x 100.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.bench import original_glm
from training.bench.annotated import Annotation
from training.bench.original_glm import Ingredients
from training.core.statistics import Floats
from training.measures import length_control
from training.measures.integrated import Judged, Known

BASELINE = "gpt4_1106_preview"
BASELINE_CHARS = 2049.0  # mean length of its 805 answers on the public leaderboard
COLUMNS = (
    "model", "win_rate", "standard_error", "n_wins", "n_wins_base", "n_draws", "n_total",
    "discrete_win_rate", "avg_length", "length_controlled_winrate", "lc_standard_error",
)  # fmt: skip


@dataclass(frozen=True)
class Baseline:
    """Who stands on the other side.

    Attributes:
        name: its own row is 50 by construction.
        chars: mean length of its answers, used where a row lacks its own; None: never.
    """

    name: str = BASELINE
    chars: float | None = BASELINE_CHARS


def leaderboard(
    rows: Sequence[Annotation],
    known: Known | None = length_control.UNKNOWN,
    baseline: Baseline = Baseline(),
    ingredients: Ingredients | None = None,
) -> list[dict[str, Any]]:
    """One row per model, best first, with the columns of AlpacaEval's leaderboard.

    Args:
        known: what is known of the judge's taste for length; None where nobody says who it is: then
            the rows of few models are held against AlpacaEval 2's own judge.
        ingredients: the original's own difficulties; with them each model is fitted as it does.

    Returns:
        COLUMNS, length_controlled_winrate and lc_standard_error None where the baseline's lengths
        cannot be known, rates in percent, lengths in characters; and length_control: what was
        fitted on what.

    Raises:
        UserError: the ingredients are of other instructions.
    """
    by_model: dict[str, list[Annotation]] = {}
    for row in rows:
        by_model.setdefault(row.model, []).append(row)
    table = {name: _plain(name, found) for name, found in sorted(by_model.items())}
    others = [row for row in rows if row.model != baseline.name]
    if others and ingredients is not None:
        found = {name: rows for name, rows in by_model.items() if name != baseline.name}
        for name, controlled in original_glm.board(found, ingredients).items():
            table[name] |= controlled
    elif others:
        for name, controlled in _controlled(others, known, baseline.chars).items():
            table[name] |= controlled
    if baseline.name in table:
        table[baseline.name] |= {"length_controlled_winrate": 50.0, "lc_standard_error": 0.0}
    return sorted(table.values(), key=lambda row: (-_rank(row), row["model"]))


def _rank(row: dict[str, Any]) -> float:
    controlled = row["length_controlled_winrate"]
    return float(row["win_rate"] if controlled is None else controlled)


def _plain(name: str, rows: Sequence[Annotation]) -> dict[str, Any]:
    wins = np.array([row.preference - 1.0 for row in rows])
    spread = float(wins.std(ddof=1)) if len(wins) > 1 else 0.0
    above, below = int((wins > 0.5).sum()), int((wins < 0.5).sum())
    draws = len(wins) - above - below
    return {
        "model": name,
        "win_rate": 100 * float(wins.mean()),
        "standard_error": 100 * spread / len(wins) ** 0.5,
        "n_wins": above,
        "n_wins_base": below,
        "n_draws": draws,
        "n_total": len(wins),
        "discrete_win_rate": 100 * (above + draws / 2) / len(wins),
        "avg_length": float(np.mean([row.chars for row in rows])),
        "length_controlled_winrate": None,
        "lc_standard_error": None,
        "length_control": None,
    }


def _controlled(
    rows: Sequence[Annotation], known: Known | None, baseline_mean: float | None
) -> dict[str, dict[str, Any]]:
    """The length-controlled columns by model; empty where the baseline's lengths can't be known."""
    names, model = np.unique([row.model for row in rows], return_inverse=True)
    _, instruction = np.unique([row.instruction for row in rows], return_inverse=True)
    chars = np.array([row.chars for row in rows], dtype=np.float64)
    baseline, told = _baseline(rows, instruction, chars, baseline_mean, len(names))
    if baseline is None:
        return {}
    judged = Judged(
        model,
        instruction,
        preference=np.array([row.preference - 1.0 for row in rows]),
        length=length_control.difference(model, chars, baseline),
    )
    known, taste = _taste(judged, known)
    fitted = length_control.fit(judged, known)
    basis = {
        "fitted": "all models together, unknown difficulties integrated out",
        "models": len(names),
        "rows": len(rows),
        "difficulty_spread": fitted.difficulty,
        "baseline_lengths": told,
        "taste": taste,
    }
    return {
        str(name): {
            "length_controlled_winrate": 100 * float(fitted.rates[place]),
            "lc_standard_error": 100 * float(fitted.errors[place]),
            "length_control": {**basis, "slope": float(fitted.slope[place])},
        }
        for place, name in enumerate(names)
    }


def _taste(judged: Judged, known: Known | None) -> tuple[Known, str]:
    """What is taken as known of the judge, in words too."""
    if known == length_control.GPT4_TURBO:
        return known, "published: weighted GPT-4 turbo's"
    if known is not None:
        return known, "nothing assumed"
    few = int(judged.model.max()) + 1 < length_control.MIN_SHARED
    if few and length_control.alike(judged, length_control.GPT4_TURBO):
        return length_control.GPT4_TURBO, "like weighted GPT-4 turbo's, and taken for it"
    return length_control.UNKNOWN, "nothing assumed"


def _baseline(
    rows: Sequence[Annotation],
    instruction: length_control.Ints,
    chars: Floats,
    mean: float | None,
    models: int,
) -> tuple[Floats | None, str]:
    """The baseline's length of each row, and whence it is known: its own, or what others wrote."""
    known = [row.baseline_chars for row in rows]
    if all(value is not None for value in known):
        return np.array(known, dtype=np.float64), "of its own answers"
    if mean is None or models < length_control.MIN_SHARED:
        return None, "not known"
    usual = length_control.usual_length(instruction, chars, mean)
    return usual, f"the median of {models} models' answers, scaled to a mean of {mean:g}"
