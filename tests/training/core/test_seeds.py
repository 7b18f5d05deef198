from __future__ import annotations

import numpy as np

from training.core.seeds import coin, hash64, sample_seed
from training.engines.uniform import uniforms


def test_splitmix64_as_published() -> None:
    # First outputs of SplitMix64 seeded with 1234567, from the reference implementation.
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    seeds = np.array([1234567], dtype=np.uint64)
    drawn = [uniforms(seeds, step)[0] for step in range(3)]
    assert drawn == [(value >> 11) / 2**53 for value in published]


def test_a_row_draws_the_same_in_any_batch() -> None:
    seeds = np.array([hash64("x", k) for k in range(50)], dtype=np.uint64)
    alone = [uniforms(seeds[k : k + 1], 7)[0] for k in range(50)]
    assert uniforms(seeds, 7).tolist() == alone


def test_uniforms_are_uniform() -> None:
    seeds = np.array([hash64("u", k) for k in range(20_000)], dtype=np.uint64)
    for step in (0, 1, 40):
        counts, _ = np.histogram(uniforms(seeds, step), bins=20, range=(0, 1))
        assert ((counts - 1000) ** 2 / 1000).sum() < 50  # chi-square, 19 degrees of freedom


def test_sample_seeds_differ_by_prompt_and_number() -> None:
    seeds = {sample_seed(1, f"p{p}", k) for p in range(200) for k in range(8)}
    assert len(seeds) == 1600
    assert all(0 <= seed < 2**64 for seed in seeds)


def test_a_coin_is_fair_and_fixed_by_its_parts() -> None:
    thrown = [coin("a", k) for k in range(1000)]
    assert abs(sum(thrown) / 1000 - 0.5) < 0.05
    assert thrown == [coin("a", k) for k in range(1000)]
    assert thrown != [coin("b", k) for k in range(1000)]
    # a number in [0, 1) below a half, as it was told before: no label changes
    assert thrown[:64] == [(hash64("a", k) >> 11) / float(1 << 53) < 0.5 for k in range(64)]
