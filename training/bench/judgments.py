"""Scores from the judgment files of MT-Bench and Arena-Hard, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from training.core import statistics

STRONG = 3  # a much better answer (>>) counts as so many comparisons, as in Arena-Hard

# P(A better) of each verdict, once per comparison it counts as.
VERDICTS: dict[str, list[float]] = {
    "A>>B": [1.0] * STRONG,
    "A>B": [1.0],
    "A=B": [0.5],
    "A<B": [0.0],
    "A<<B": [0.0] * STRONG,
    "B>>A": [0.0] * STRONG,
    "B>A": [0.0],
    "B=A": [0.5],
    "B<A": [1.0],
    "B<<A": [1.0] * STRONG,
}

Row = Mapping[str, Any]


def mt_bench(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Mean score (1 to 10) by model, best first: both turns, each turn, se over questions.

    Args:
        rows: question_id, model, turn, score; a score of -1 or none is a judgment that failed: it
            is counted and left out, never averaged.
    """
    board = []
    for name, found in _by_model(rows).items():
        good = [row for row in found if row["score"] is not None and row["score"] != -1]
        if not good:
            continue
        scores = np.array([row["score"] for row in good], dtype=np.float64)
        turns = np.array([row["turn"] for row in good])
        every = statistics.mean_se(scores, [str(row["question_id"]) for row in good])
        parts = {
            f"turn_{turn}": float(scores[turns == turn].mean()) if (turns == turn).any() else None
            for turn in (1, 2)
        }
        failed = len(found) - len(good)
        board.append(
            {"model": name, "score": float(scores.mean()), "se": every["se"], **parts}
            | {"judgments": len(good), "failed": failed}
        )
    return sorted(board, key=lambda row: (-row["score"], row["model"]))


def arena_hard(rows: Sequence[Row], seed: int) -> list[dict[str, Any]]:
    """Win rate (%) over the baseline by model, best first, with a 95% bootstrap interval.

    With one baseline the Bradley-Terry win rate is this weighted mean of the verdicts. The
    interval resamples questions.

    Args:
        rows: model and games: two verdicts, first with the baseline as A, then as B. A game
            without a verdict is left out, as the benchmark does, and the other stands; `failed` is
            the number of questions with such a game.
    """
    board = []
    for name, found in _by_model(rows).items():
        games = [_games(row) for row in found]
        played = [scores for scores, _ in games if scores]
        if not played:
            continue
        sums = np.array([[sum(scores), len(scores)] for scores in played])
        draw = np.random.default_rng(seed).integers(0, len(sums), (1000, len(sums)))
        rates = sums[draw].sum(axis=1)
        low, high = np.quantile(rates[:, 0] / rates[:, 1], [0.025, 0.975])
        board.append(
            {
                "model": name,
                "win_rate": 100 * float(sums[:, 0].sum() / sums[:, 1].sum()),
                "low": 100 * float(low),
                "high": 100 * float(high),
                "questions": len(played),
                "failed": sum(missing > 0 for _, missing in games),
            }
        )
    return sorted(board, key=lambda row: (-row["win_rate"], row["model"]))


def _games(row: Row) -> tuple[list[float], int]:
    """P(model better) of the games of a row that have a verdict, and how many have none."""
    found: list[float] = []
    games = [VERDICTS.get(str(game["score"])) if game else None for game in row["games"][:2]]
    games += [None] * (2 - len(games))
    baseline_first, model_first = games
    if baseline_first is not None:
        found += [1.0 - value for value in baseline_first]
    if model_first is not None:
        found += model_first
    return found, games.count(None)


def _by_model(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(str(row["model"]), []).append(row)
    return dict(sorted(found.items()))
