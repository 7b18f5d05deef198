"""Pairs of like length: which of them each strategy takes.

Length is what reward models and programs reward first; a pair whose sides are of like length
cannot teach it.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from curation.core.grouped import Ints
from curation.pairing.keys import Arrays, key, mixed
from curation.pairing.rules import Rules
from curation.pairing.scale import Floats

Picks = tuple[Ints, Ints, NDArray[np.bool_]]


def matched(rows: Ints, arrays: Arrays, rules: Rules) -> Picks:
    """The strategy's pairs, as ranks, of like length in which no cut response beats a finished one.

    A prompt without such a pair offers the one that the strategy would take of all, which the
    pair rules then reject: it stays in the ledger.
    """
    high, low = np.triu_indices(rows.shape[1], 1)
    better, worse = rows[:, high], rows[:, low]
    keys, valid = _preference(better, worse, arrays, rules)
    fits = valid & alike(arrays.length[better], arrays.length[worse], rules)
    if rules.truncated == "never_chosen":
        fits &= ~(arrays.cut[better] & ~arrays.cut[worse])
    alone = ~fits.any(axis=1)
    fits[alone, np.argmin(np.where(valid, keys, np.inf)[alone], axis=1)] = True
    order = np.argsort(np.where(fits, keys, np.inf), axis=1, kind="stable")
    best = order[:, : _most(rules)]
    return high[best], low[best], np.take_along_axis(fits, best, axis=1)


def alike(one: Floats, other: Floats, rules: Rules) -> NDArray[np.bool_]:
    """Whether two lengths are as near each other as the rules of matching ask."""
    allowed = np.maximum((rules.match_length or 0.0) * np.maximum(one, other), rules.match_within)
    return np.asarray(np.abs(one - other) <= allowed)


def _most(rules: Rules) -> int:
    """Pairs of one prompt."""
    every = rules.top_k**2 if rules.strategy == "top_k_bottom_k" else 1
    return rules.max_per_prompt or every


def _preference(
    better: Ints, worse: Ints, arrays: Arrays, rules: Rules
) -> tuple[Floats, NDArray[np.bool_]]:
    """How much the strategy wants each pair of ranked responses: the smallest first, and which may.

    best_worst takes the widest margin, which of all pairs is the best against the worst;
    best_second and best_random the best ranked response that has a partner.
    """
    everyone = np.ones(better.shape, bool)
    ranks = np.arange(better.shape[1], dtype=np.float64)
    match rules.strategy:
        case "best_worst":
            return arrays.adjusted[worse] - arrays.adjusted[better], everyone
        case "best_second":
            return np.broadcast_to(ranks, better.shape), everyone
        case "best_random":
            first = np.triu_indices(_size(better.shape[1]), 1)[0]
            return first + _draw(arrays.tie[worse]), everyone
        case "top_k_bottom_k":
            return _corner_keys(better, rules)
        case "random":
            return _draw(mixed(arrays.tie[better] ^ arrays.tie[worse])), everyone
        case _:
            keys, valid = key(better, worse, arrays, rules)
            return keys.astype(np.float64), valid


def _corner_keys(better: Ints, rules: Rules) -> tuple[Floats, NDArray[np.bool_]]:
    n = _size(better.shape[1])
    high, low = np.triu_indices(n, 1)
    k = min(rules.top_k, n // 2)
    corner = (high < k) & (low >= n - k)
    keys = (high - low + high / (n + 1)).astype(np.float64)
    return np.broadcast_to(keys, better.shape), np.broadcast_to(corner, better.shape)


def _size(pairs: int) -> int:
    """How many responses have so many pairs: n of n (n - 1) / 2."""
    return (1 + math.isqrt(1 + 8 * pairs)) // 2


def _draw(value: NDArray[np.uint64]) -> Floats:
    """Numbers in [0, 1) of hashes."""
    return (value >> np.uint64(11)).astype(np.float64) / 2.0**53
