"""MinHash sketches of texts: keys by bands, which near texts share, and what they estimate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import chain
from typing import Any

import polars as pl

from curation.core.threads import mapped
from curation.mixing import shingles

SHINGLE, PERMUTATIONS, SEED = 3, 90, 7
MISS = 0.01
"""Greatest share of pairs right at the threshold that no band of theirs brings together."""
BATCH = 8_192
_SURE = 4.0  # standard deviations of the estimate: one pair in 30,000 at the threshold is lost
_MIX = 0x9E3779B97F4A7C15
_CHUNK = 1 << 17


def rows_a_band(threshold: float) -> int:
    """Permutations a band, the most with which bands miss at most `MISS` of pairs that near."""

    def missed(size: int) -> float:
        return float((1.0 - threshold**size) ** (PERMUTATIONS // size))

    return max([1, *(size for size in range(1, PERMUTATIONS) if missed(size) <= MISS)])


@dataclass(frozen=True)
class Sketches:
    """The sketches of some texts.

    Attributes:
        keys: rows [row, band_0 ...]: texts with an equal key in a band may be near.
        low: [texts, PERMUTATIONS], the low byte of each minimum; texts without words have zeros.
        threshold: the similarity that the bands are fitted to.
    """

    keys: pl.DataFrame
    low: Any
    threshold: float

    @staticmethod
    def of(texts: pl.Series, threshold: float) -> Sketches:
        """Sketch the sets of word 3-grams of texts."""
        import numpy as np

        starts = range(0, max(len(texts), 1), BATCH)
        made = list(mapped(lambda at: _made(texts.slice(at, BATCH), at, threshold), starts))
        low = np.zeros((len(texts), PERMUTATIONS), dtype=np.uint8)
        for rows, sketch, _ in made:
            low[rows] = sketch
        return Sketches(pl.concat(keys for _, _, keys in made), low, threshold)

    @property
    def bands(self) -> list[str]:
        """Names of the columns of keys."""
        return self.keys.columns[1:]

    def likely(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """The pairs (a, b) whose sketches agree as often as near texts' do, but for bad luck."""
        import numpy as np

        spread = math.sqrt(self.threshold * (1.0 - self.threshold) / PERMUTATIONS)
        least = math.floor(PERMUTATIONS * (self.threshold - _SURE * spread))
        a, b = pairs["a"].to_numpy(), pairs["b"].to_numpy()
        fits = np.zeros(len(a), dtype=bool)
        for at in range(0, len(a), _CHUNK):
            some = slice(at, at + _CHUNK)
            fits[some] = (self.low[a[some]] == self.low[b[some]]).sum(axis=1) >= least
        return pairs.filter(pl.Series(fits))


def _made(texts: pl.Series, start: int, threshold: float) -> tuple[Any, Any, pl.DataFrame]:
    """Row numbers, low bytes and keys of a batch."""
    import numpy as np
    import rensa

    flat = shingles.hashes(shingles.normalised(texts), SHINGLE, whole_if_short=True)
    counts = np.bincount(flat["row"].to_numpy(), minlength=len(texts))
    rows = np.flatnonzero(counts)
    offsets = np.concatenate([[0], np.cumsum(counts[rows])]).astype(np.uint64)
    matrix = rensa.RMinHash.digest_matrix_from_flat_token_hashes(
        flat["gram"].to_numpy(), offsets, PERMUTATIONS, SEED
    )
    numbers = chain.from_iterable(matrix.to_rows())
    sketch = np.fromiter(numbers, np.uint32, len(rows) * PERMUTATIONS)
    sketch = sketch.reshape(-1, PERMUTATIONS)
    places = rows + start
    return places, sketch.astype(np.uint8), _keys(sketch, places, rows_a_band(threshold))


def _keys(sketch: Any, places: Any, size: int) -> pl.DataFrame:
    """One key per band of each sketch."""
    import numpy as np

    bands = PERMUTATIONS // size
    parts = sketch[:, : bands * size].reshape(-1, bands, size)
    keys = np.zeros(parts.shape[:2], dtype=np.uint64)
    for place in range(size):
        keys = keys * np.uint64(_MIX) + parts[:, :, place]
    columns: dict[str, Any] = {f"band_{band}": keys[:, band] for band in range(bands)}
    return pl.DataFrame({"row": places.astype(np.uint32), **columns})
