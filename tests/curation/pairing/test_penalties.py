"""Within-prompt correlation against numpy, and the penalty that brings it to zero."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.core.grouped import group
from curation.pairing.penalties import auto_penalty, mean_pearson, moments, pearson


def _random(seed: int, prompts: int, n: int) -> tuple[pl.Series, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    keys = pl.Series(np.repeat(np.arange(prompts), n)).cast(pl.String)
    length = rng.integers(1, 500, prompts * n).astype(float)
    return keys, rng.normal(size=prompts * n) + 0.004 * length, length


def test_pearson_equals_numpy() -> None:
    keys, reward, length = _random(1, 50, 8)
    groups = group(keys)
    found = pearson(moments(groups, reward, length), 0.002)
    rows = np.split(groups.order, groups.starts[1:])
    wanted = [np.corrcoef((reward - 0.002 * length)[own], length[own])[0, 1] for own in rows]
    assert found == pytest.approx(wanted, abs=1e-12)


def test_constant_reward_or_length_has_no_correlation() -> None:
    groups = group(pl.Series(["a"] * 3 + ["b"] * 3 + ["c"]))
    reward = np.array([0.1, 0.1, 0.1, 1.0, 2.0, 3.0, 1.0])
    length = np.array([1.0, 2.0, 3.0, 5.0, 5.0, 5.0, 1.0])
    within = moments(groups, reward, length)
    assert np.isnan(pearson(within)).all()
    assert mean_pearson(within) is None
    assert auto_penalty(within) == 0.0


def test_reward_that_is_length_has_no_correlation_once_penalised() -> None:
    length = np.array([1.0, 2.0, 4.0])
    within = moments(group(pl.Series(["a"] * 3)), 0.3 * length, length)
    assert mean_pearson(within) == pytest.approx(1.0)
    assert mean_pearson(within, 0.3) is None


def test_no_rows() -> None:
    groups = group(pl.Series([], dtype=pl.String))
    within = moments(groups, np.zeros(0), np.zeros(0))
    assert (mean_pearson(within), auto_penalty(within)) == (None, 0.0)


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10_000), n=st.integers(4, 16), slope=st.floats(-0.05, 0.05))
def test_auto_penalty_brings_the_mean_correlation_to_zero(seed: int, n: int, slope: float) -> None:
    keys, reward, length = _random(seed, 60, n)
    within = moments(group(keys), reward + slope * length, length)
    penalty = auto_penalty(within)
    left = mean_pearson(within, penalty)
    assert left is not None
    assert abs(left) < 1e-6
