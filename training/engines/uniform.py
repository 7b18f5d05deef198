"""Counter-based random numbers: the step's uniform is a hash of the sample's seed and the step."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)


def uniforms(seeds: NDArray[np.uint64], step: int) -> NDArray[np.float64]:
    """One number in [0, 1) per seed for one step, by SplitMix64 (Steele et al. 2014).

    No generator is kept per row, so a row draws the same whatever its batch.
    """
    with np.errstate(over="ignore"):
        state = seeds + np.uint64(step + 1) * _GOLDEN
        state = (state ^ (state >> np.uint64(30))) * _MIX1
        state = (state ^ (state >> np.uint64(27))) * _MIX2
        state ^= state >> np.uint64(31)
    return (state >> np.uint64(11)).astype(np.float64) / float(1 << 53)
