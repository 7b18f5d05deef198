"""Paired changes: means, errors over prompts and clustered by kind, and at equal length."""

from __future__ import annotations

import numpy as np
import pytest

from curation.audit.paired import at_equal_length, change


def test_errors_over_prompts_and_kinds_by_hand() -> None:
    found = change(np.array([1.0, 1.0, 0.0, 0.0]), ["a", "a", "b", "b"])
    assert found.mean == 0.5
    assert found.se == pytest.approx(np.std([1, 1, 0, 0], ddof=1) / 2)
    # the kinds' sums of deviations are 1 and -1: sqrt(2 / 1 * (1 + 1)) / 4
    assert found.se_kinds == pytest.approx(0.5)


def test_kinds_that_move_alike_have_larger_errors_than_prompts() -> None:
    kinds = [name for name in "abcdef" for _ in range(20)]
    values = np.array([1.0 if name in "abc" else 0.0 for name in kinds])
    found = change(values, kinds)
    assert found.se is not None
    assert found.se_kinds is not None
    assert found.se_kinds > 4 * found.se


def test_one_prompt_or_one_kind_has_no_error() -> None:
    assert change(np.array([1.0]), ["a"]).se is None
    assert change(np.array([1.0, 0.0]), ["a", "a"]).se_kinds is None


def test_a_gain_that_length_alone_brought_is_gone_at_equal_length() -> None:
    rng = np.random.default_rng(1)
    before = rng.integers(20, 80, 200).astype(float)
    after = before * rng.uniform(0.2, 0.6, 200)
    kinds = [str(number % 10) for number in range(200)]
    bought = -0.5 * (np.log1p(after) - np.log1p(before))
    found = at_equal_length(bought, after, before, kinds)
    assert found is not None
    assert found.mean == pytest.approx(0.0, abs=1e-9)
    noise = rng.normal(0, 0.1, 200)
    found = at_equal_length(bought + 0.3 + noise, after, before, kinds)
    assert found is not None
    assert found.se_kinds is not None
    assert found.mean == pytest.approx(0.3, abs=0.08)
    assert 0.0 < found.se_kinds < 0.1


def test_equal_lengths_leave_nothing_to_regress_on() -> None:
    same = np.array([5.0, 6.0, 7.0])
    assert at_equal_length(np.array([1.0, 0.0, 1.0]), same, same, ["a", "b", "c"]) is None
