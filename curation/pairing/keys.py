"""What selection reads of the responses, and how much a strategy wants each pair of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars_hash import NonCryptographicHashingNameSpace

from curation.core.grouped import Ints
from curation.pairing.rules import Rules
from curation.pairing.scale import Floats


@dataclass(frozen=True)
class Arrays:
    """What selection reads: one entry per usable response, judged as [responses, judges].

    length is in the unit of the rules; cut says whether the response was cut at the limit.
    """

    adjusted: Floats
    ids: pl.Series
    judged: Floats
    seed: int
    length: Floats
    cut: NDArray[np.bool_]

    @cached_property
    def tie(self) -> NDArray[np.uint64]:
        """A number per response for ties and draws; most pairings of real rewards need none."""
        name = NonCryptographicHashingNameSpace(pl.col(self.ids.name))
        return self.ids.to_frame().select(name.xxhash64(seed=self.seed)).to_series().to_numpy()


def key(
    better: Ints, worse: Ints, arrays: Arrays, rules: Rules
) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
    """The key of random, target_margin or uncertainty, the smallest first, and which pairs may."""
    everyone = np.ones(better.shape, bool)
    if rules.strategy == "random":
        return mixed(arrays.tie[better] ^ arrays.tie[worse]), everyone
    margin = arrays.adjusted[better] - arrays.adjusted[worse]
    if rules.strategy == "target_margin":
        return np.abs(margin - rules.target_margin), everyone
    return _disagreement(better, worse, margin, arrays, rules)


def _disagreement(
    better: Ints, worse: Ints, margin: Floats, arrays: Arrays, rules: Rules
) -> tuple[Floats, NDArray[np.bool_]]:
    """Spread of the judges' margins, the largest first, among pairs above the minimum margin.

    A prompt without such a pair offers its widest one, which the margin rules then reject: it
    stays in the ledger.
    """
    spread = np.std(arrays.judged[better] - arrays.judged[worse], axis=2)
    wide = (margin > 0) & (margin >= rules.min_margin)
    some = wide.any(axis=1, keepdims=True)
    key = np.where(some, np.where(wide, -spread, np.inf), -margin)
    fallback = np.zeros_like(wide)
    np.put_along_axis(fallback, np.argmin(-margin, axis=1)[:, None], True, axis=1)
    return key, np.where(some, wide, fallback)


def mixed(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The splitmix64 finaliser: nearby inputs give unrelated outputs (Steele et al. 2014)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))
