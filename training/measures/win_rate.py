"""One policy against another on the same prompts: win rate, and win rate at equal length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from curation.core.errors import UserError
from training.core import statistics
from training.core.chat_template import Messages
from training.judges.pairwise import PairwiseJudge
from training.measures import length_control
from training.measures.integrated import Judged

Duel = tuple[str, Messages, str, str]  # prompt id, prompt, response, baseline's response


def duel(judge: PairwiseJudge, rows: Sequence[Duel]) -> dict[str, Any]:
    """Win rate of the first responses over the second, in percent, by one judge.

    A judge that compares pairs is asked in both orders. The length-controlled win rate is the
    prediction at equal length of a logistic regression with nothing assumed of the judge's taste.

    Returns:
        win_rate and its se over prompts, ties (%), preference (mean P(first better), %),
        length_controlled and its se, chars and baseline_chars (means), pairs, nulls.

    Raises:
        UserError: the judge gave no verdict on any pair.
    """
    asked = judge.ask([(prompt, one, two) for _, prompt, one, two in rows])
    known = np.isfinite(asked.first_wins)
    if not known.any():
        raise UserError(f"{judge.name}: gave no verdict on any of {len(rows)} pairs")
    kept = [row for row, fine in zip(rows, known, strict=True) if fine]
    chance = asked.first_wins[known]
    prompts = [row[0] for row in kept]
    wins = statistics.mean_se((np.sign(chance - 0.5) + 1) / 2, prompts)
    chars = np.array([[len(one), len(two)] for _, _, one, two in kept], dtype=np.float64)
    _, place = np.unique(prompts, return_inverse=True)
    model = np.zeros(len(kept), dtype=np.intp)
    length = length_control.difference(model, chars[:, 0], chars[:, 1])
    judged = Judged(model, place, chance, length)
    fitted = length_control.fit(judged, length_control.UNKNOWN)
    figures = {
        "win_rate": 100 * wins["mean"],
        "se": 100 * wins["se"],
        "ties": 100 * float((chance == 0.5).mean()),
        "preference": 100 * float(chance.mean()),
        "length_controlled": 100 * float(fitted.rates[0]),
        "length_controlled_se": 100 * float(fitted.errors[0]),
        "chars": float(chars[:, 0].mean()),
        "baseline_chars": float(chars[:, 1].mean()),
        "pairs": len(kept),
        "nulls": int((~known).sum()),
    }
    if judge.has_position:
        figures["swap_inconsistency"] = asked.inconsistency()
    return figures
