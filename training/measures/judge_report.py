"""Everything that is measured of judges on labelled comparisons, as plain figures."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from curation.core.errors import UserError
from training.core.chat_template import Messages
from training.core.seeds import coin
from training.core.statistics import Floats
from training.judges.pairwise import Answers, PairwiseJudge
from training.measures import intervals
from training.measures import judge_quality as quality


@dataclass(frozen=True)
class Labelled:
    """One labelled comparison and what its accuracy is broken down by."""

    key: str
    prompt: Messages
    chosen: str
    rejected: str
    source: str
    margin: float | None


def ask(judge: PairwiseJudge, rows: Sequence[Labelled]) -> Answers:
    """P(chosen better) of every row, in both orders.

    Raises:
        UserError: the judge gave no verdict on any row.
    """
    asked = judge.ask([(row.prompt, row.chosen, row.rejected) for row in rows])
    if not np.isfinite(asked.first_wins).any():
        raise UserError(f"{judge.name}: gave no verdict on any of {len(rows)} pairs")
    return asked


def report(judge: PairwiseJudge, rows: Sequence[Labelled], asked: Answers) -> dict[str, Any]:
    """Accuracy in all, by source, by length difference (characters) and by margin; calibration."""
    known = np.isfinite(asked.first_wins)
    kept = [row for row, fine in zip(rows, known, strict=True) if fine]
    chance = asked.first_wins[known]
    right = quality.verdicts(chance)
    longer = np.array([len(row.chosen) - len(row.rejected) for row in kept], dtype=np.float64)
    asked_of = prompts(kept)
    figures = {
        **quality.accuracy(right, asked_of),
        "nulls": int((~known).sum()),
        "ties": int((chance == 0.5).sum()),
        "by_source": quality.by_label(right, [row.source for row in kept], asked_of),
        "by_chosen_longer": quality.by_label(right, [_side(one) for one in longer], asked_of),
        "by_length_difference": quality.by_fifth(right, longer, asked_of),
        "by_margin": quality.by_fifth(right, _margin_ranks(kept), asked_of),
        "calibration": quality.calibration(chance),
    }
    if judge.has_position:
        figures["swap_inconsistency"] = asked.inconsistency()
    return figures


def prompts(rows: Sequence[Labelled]) -> list[str]:
    """What tells the prompts of rows apart."""
    return [json.dumps(row.prompt, ensure_ascii=False) for row in rows]


def paired(rows: Sequence[Labelled], answers: dict[str, Answers]) -> list[dict[str, Any]]:
    """Every two judges' difference in accuracy on the pairs that all of them judged.

    p is a t test's over prompts, p_holm the same corrected for the number of comparisons.
    """
    known = np.all([np.isfinite(asked.first_wins) for asked in answers.values()], axis=0)
    if not known.any():
        return []
    groups = np.unique(np.array(prompts(rows))[known], return_inverse=True)[1]
    right = {name: quality.verdicts(one.first_wins[known]) for name, one in answers.items()}
    found = [
        {"judge": one, "other": two, **intervals.paired(right[one], right[two], groups)}
        for one, two in itertools.combinations(sorted(right), 2)
    ]
    corrected = intervals.holm([row["p"] for row in found])
    return [{**row, "p_holm": p} for row, p in zip(found, corrected, strict=True)]


def against(
    truth: Answers, asked: Answers, rows: Sequence[Labelled] | None = None
) -> dict[str, Any]:
    """`accuracy` on another judge's labels (the oracle's), over the pairs where it has a side."""
    decided = np.isfinite(asked.first_wins) & (np.abs(truth.first_wins - 0.5) > 0)
    sides = np.where(truth.first_wins > 0.5, asked.first_wins, 1.0 - asked.first_wins)
    if not decided.any():
        return {}
    of = None if rows is None else np.array(prompts(rows))[decided].tolist()
    return quality.accuracy(quality.verdicts(sides[decided]), of)


def agreement(
    rows: Sequence[Labelled], answers: dict[str, Answers], seed: int
) -> list[dict[str, Any]]:
    """Cohen's kappa of every two judges on the rows that all of them judged.

    A hash of the key decides which response counts as the first, else all judges that are often
    right would pick the first and chance alone would explain their agreement.
    """
    known = np.all([np.isfinite(asked.first_wins) for asked in answers.values()], axis=0)
    turned = np.array([coin("kappa", seed, row.key) for row in rows])
    picks = {name: ((a.first_wins > 0.5) ^ turned)[known] for name, a in answers.items()}
    return quality.agreement(picks)


def cycles(
    judge: PairwiseJudge, prompts: Sequence[Messages], groups: Sequence[Sequence[str]]
) -> dict[str, Any]:
    """How often a judge that compares pairs prefers a to b, b to c and c to a.

    Args:
        prompts: one per group.
        groups: responses to each prompt; the first three different ones are compared.
    """
    found = list(quality.triples(groups))
    texts = [(group, (a, b, c)) for group, a, b, c in found]
    wins = [
        judge.ask([(prompts[group], three[one], three[two]) for group, three in texts]).first_wins
        for one, two in ((0, 1), (1, 2), (2, 0))
    ]
    return quality.cycle_rate(*wins)


def _side(longer: float) -> str:
    return "longer" if longer > 0 else "shorter" if longer < 0 else "equal"


def _margin_ranks(rows: Sequence[Labelled]) -> Floats:
    """Each margin's quantile among its own source's: sources score on different scales."""
    ranks = np.full(len(rows), np.nan)
    margins = np.array([np.nan if row.margin is None else row.margin for row in rows])
    names = np.array([row.source for row in rows])
    for source in np.unique(names):
        place = np.flatnonzero((names == source) & np.isfinite(margins))
        ordered = np.sort(margins[place])
        low = np.searchsorted(ordered, margins[place], "left")
        high = np.searchsorted(ordered, margins[place], "right")
        ranks[place] = (low + high) / (2 * max(len(place), 1))
    return ranks
