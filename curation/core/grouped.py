"""Rows by key: the groups of a column, and all groups of one size as a matrix of row numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars_hash import NonCryptographicHashingNameSpace

Ints = NDArray[np.int64]
_Hashes = NDArray[np.uint64]
_GROUPS = 8192  # groups of a block: what is computed of them stays in the processor's cache
_CELLS = 16_000_000  # groups x pairs of their rows in a block


@dataclass(frozen=True)
class Groups:
    """Rows by key: ``order`` holds row numbers, group after group, ascending within each."""

    order: Ints
    counts: Ints

    @property
    def starts(self) -> Ints:
        """Where each group begins in ``order``."""
        return np.asarray(np.cumsum(self.counts) - self.counts)

    def blocks(self) -> Iterator[tuple[Ints, Ints]]:
        """Group numbers [groups] and their row numbers [groups, n], sizes n ascending."""
        starts = self.starts
        for n in np.unique(self.counts):
            groups = np.flatnonzero(self.counts == n)
            step = max(1, min(_GROUPS, _CELLS // int(n * n)))
            for at in range(0, groups.size, step):
                some = groups[at : at + step]
                yield some, self.order[starts[some, None] + np.arange(n)]


def group(keys: pl.Series) -> Groups:
    """Group rows by a string key; groups come in the order of the key's hash."""
    key = pl.col("key")
    first, second = NonCryptographicHashingNameSpace(key).xxhash64(), key.hash()
    both = keys.alias("key").to_frame().select(first=first, second=second)
    hashes, others = both["first"].to_numpy(), both["second"].to_numpy()
    for ordered in (_packed, _by_hash):
        order, starts = ordered(hashes)
        counts = np.diff(starts, append=order.size)
        other = others[order]  # two keys do not share both hashes
        if (other == np.repeat(other[starts], counts)).all():
            return Groups(order, counts)
    raise AssertionError("hash collision")


def _packed(hashes: _Hashes) -> tuple[Ints, Ints]:
    """Row numbers by the high bits of their hash, then by number, and where new bits begin.

    A row's number takes the place of the low bits, as numbers sort twice as fast as their places;
    two keys of the same high bits then fall into one group.
    """
    low = np.uint64((1 << hashes.size.bit_length()) - 1)
    packed = (hashes & ~low) | np.arange(hashes.size, dtype=np.uint64)
    ordered = pl.Series(packed).sort().to_numpy()
    return (ordered & low).astype(np.int64), _starts(ordered & ~low)


def _by_hash(hashes: _Hashes) -> tuple[Ints, Ints]:
    """The same by all bits."""
    order = np.argsort(hashes, kind="stable")
    return order, _starts(hashes[order])


def _starts(ordered: _Hashes) -> Ints:
    """Where a value differs from the one before it."""
    differs = ordered[1:] != ordered[:-1]
    return np.flatnonzero(np.concatenate([np.ones(min(1, ordered.size), np.bool_), differs]))
