"""AlpacaEval: win rates against one baseline from annotations, as its leaderboard prints them.

A preference is a number from 1 (the baseline is better) to 2 (the model is better); the win rate is
mean(preference - 1) x 100.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.core.statistics import Floats
from training.measures import length_control
from training.measures.length_control import Judged, Slope

BASELINE = "gpt4_1106_preview"
BASELINE_CHARS = 2049.0  # mean length of its 805 answers on the public leaderboard


@dataclass(frozen=True)
class Annotation:
    """One judged answer: preference in [1, 2], lengths in characters; the baseline's if known."""

    model: str
    instruction: str
    preference: float
    chars: int
    baseline_chars: int | None = None


def leaderboard(
    rows: Sequence[Annotation],
    seed: int,
    known: Slope = length_control.GPT4_TURBO,
    baseline_mean: float | None = BASELINE_CHARS,
    baseline: str = BASELINE,
) -> list[dict[str, Any]]:
    """One row per model, best first, with the columns of AlpacaEval's leaderboard.

    Args:
        seed: of the bootstrap behind lc_standard_error.
        known: what is known of the judge's taste for length.
        baseline_mean: mean length of the baseline's answers, used where a row lacks its own.
        baseline: name of the baseline; its own row is 50 by construction.

    Returns:
        model, win_rate, standard_error, n_wins, n_wins_base, n_draws, n_total, discrete_win_rate,
        avg_length, length_controlled_winrate and lc_standard_error (None where the baseline's
        lengths cannot be known); rates in percent, lengths in characters.
    """
    by_model: dict[str, list[Annotation]] = {}
    for row in rows:
        by_model.setdefault(row.model, []).append(row)
    table = {name: _plain(name, found) for name, found in sorted(by_model.items())}
    others = [row for row in rows if row.model != baseline]
    if others:
        for name, rate, error in _controlled(others, seed, known, baseline_mean):
            table[name] |= {"length_controlled_winrate": rate, "lc_standard_error": error}
    if baseline in table:
        table[baseline] |= {"length_controlled_winrate": 50.0, "lc_standard_error": 0.0}
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
    }


def _controlled(
    rows: Sequence[Annotation], seed: int, known: Slope, baseline_mean: float | None
) -> list[tuple[str, float, float]]:
    """(model, length-controlled win rate, its standard error); empty where it can't be known."""
    names, model = np.unique([row.model for row in rows], return_inverse=True)
    _, instruction = np.unique([row.instruction for row in rows], return_inverse=True)
    chars = np.array([row.chars for row in rows], dtype=np.float64)
    baseline = _baseline(rows, instruction, chars, baseline_mean, len(names))
    if baseline is None:
        return []
    judged = Judged(
        model,
        instruction,
        preference=np.array([row.preference - 1.0 for row in rows]),
        length=length_control.difference(model, chars, baseline),
    )
    rates = length_control.fit(judged, known).win_rates()
    errors = length_control.standard_errors(judged, known, seed)
    return [
        (str(n), 100 * float(r), 100 * float(e))
        for n, r, e in zip(names, rates, errors, strict=True)
    ]


def _baseline(
    rows: Sequence[Annotation],
    instruction: length_control.Ints,
    chars: Floats,
    mean: float | None,
    models: int,
) -> Floats | None:
    """The baseline's length of each row: its own, or read from what other models wrote."""
    known = [row.baseline_chars for row in rows]
    if all(value is not None for value in known):
        return np.array(known, dtype=np.float64)
    if mean is None or models < length_control.MIN_SHARED:
        return None
    return length_control.usual_length(instruction, chars, mean)
