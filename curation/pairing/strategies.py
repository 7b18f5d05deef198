"""Which of a prompt's ranked responses are compared: every strategy as array arithmetic.

A block holds all prompts with the same number of responses, best first, so that a strategy is a
few operations on [prompts, responses] arrays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curation.core.grouped import Groups, Ints
from curation.pairing.keys import Arrays, key
from curation.pairing.matched import Picks, matched
from curation.pairing.rules import Rules


@dataclass(frozen=True)
class Candidates:
    """Row numbers of the compared responses, and the place among the prompt's candidates."""

    better: Ints
    worse: Ints
    place: Ints


def select(groups: Groups, arrays: Arrays, rules: Rules) -> Candidates:
    """Candidate pairs of every group with at least two responses; better by adjusted reward."""
    parts = [
        _pick(_ranked(rows, arrays), arrays, rules)
        for _, rows in groups.blocks()
        if rows.shape[1] >= 2
    ]
    if not parts:
        none = np.zeros(0, np.int64)
        return Candidates(none, none, none)
    better, worse, place = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Candidates(better, worse, place)


def _ranked(rows: Ints, arrays: Arrays) -> Ints:
    """Best first; equal rewards, which are seldom, are ordered by the tie number."""
    key = -arrays.adjusted[rows]
    places = np.argsort(key, axis=1)
    ranked = np.take_along_axis(rows, places, axis=1)
    value = np.take_along_axis(key, places, axis=1)
    tied = (value[:, 1:] == value[:, :-1]).any(axis=1)
    if tied.any():
        again = _by(rows[tied], arrays.tie[rows[tied]])
        ranked[tied] = _by(again, -arrays.adjusted[again])
    return ranked


def _by(rows: Ints, key: NDArray[np.generic]) -> Ints:
    return np.take_along_axis(rows, np.argsort(key, axis=1, kind="stable"), axis=1)


def _pick(rows: Ints, arrays: Arrays, rules: Rules) -> tuple[Ints, Ints, Ints]:
    high, low, valid = _ranks(rows, arrays, rules)
    place = np.broadcast_to(np.arange(high.shape[1]), high.shape)
    better = np.take_along_axis(rows, high, axis=1)[valid]
    worse = np.take_along_axis(rows, low, axis=1)[valid]
    return better, worse, place[valid]


def _ranks(rows: Ints, arrays: Arrays, rules: Rules) -> Picks:
    """Ranks (0 = best) of the compared responses as [prompts, candidates]."""
    if rules.match_length is not None:
        return matched(rows, arrays, rules)
    last = rows.shape[1] - 1
    match rules.strategy:
        case "best_worst":
            return _constant(rows, [0], [last])
        case "best_second":
            return _constant(rows, [0], [1])
        case "top_k_bottom_k":
            return _constant(rows, *_corners(last + 1, rules))
        case "best_random":
            order = np.argsort(arrays.tie[rows[:, 1:]], axis=1, kind="stable") + 1
            low = order[:, : rules.max_per_prompt or 1]
            return np.zeros_like(low), low, np.ones(low.shape, bool)
        case _:
            return _any_two(rows, arrays, rules)


def _constant(rows: Ints, high: list[int], low: list[int]) -> Picks:
    shape = (rows.shape[0], len(high))
    return (
        np.broadcast_to(np.asarray(high), shape),
        np.broadcast_to(np.asarray(low), shape),
        np.ones(shape, bool),
    )


def _corners(n: int, rules: Rules) -> tuple[list[int], list[int]]:
    """Every one of the k best against every one of the k worst, the widest apart first."""
    k = min(rules.top_k, n // 2)
    pairs = sorted(
        ((i, n - 1 - j) for i in range(k) for j in range(k)), key=lambda p: (p[0] - p[1], p[0])
    )[: rules.max_per_prompt]
    return [high for high, _ in pairs], [low for _, low in pairs]


def _any_two(rows: Ints, arrays: Arrays, rules: Rules) -> Picks:
    """The best of all n(n-1)/2 pairs under the strategy's own key, smallest first."""
    high, low = np.triu_indices(rows.shape[1], 1)
    keys, valid = key(rows[:, high], rows[:, low], arrays, rules)
    best = np.argsort(keys, axis=1, kind="stable")[:, : rules.max_per_prompt or 1]
    return high[best], low[best], np.take_along_axis(valid, best, axis=1)
