"""Rows by key: the groups of a dictionary of lists, whatever the hashes are."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.core import grouped
from curation.core.grouped import Groups, group


def rows_by_key(keys: list[str]) -> set[tuple[int, ...]]:
    found: dict[str, list[int]] = {}
    for row, key in enumerate(keys):
        found.setdefault(key, []).append(row)
    return {tuple(rows) for rows in found.values()}


def rows_of(groups: Groups) -> list[tuple[int, ...]]:
    return [tuple(rows) for rows in np.split(groups.order, groups.starts[1:]) if rows.size]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from([f"p{n}" for n in range(9)]), max_size=40))
def test_every_row_is_in_the_group_of_its_key_once_and_in_order(keys: list[str]) -> None:
    found = rows_of(group(pl.Series(keys, dtype=pl.String)))
    assert len(found) == len(set(found)) == len(set(keys))
    assert set(found) == rows_by_key(keys)


def test_keys_of_equal_high_bits_are_told_apart() -> None:
    hashes = np.array([5, 3, 5, 3, 4], dtype=np.uint64)
    order, starts = grouped._packed(hashes)  # the low bits go, so all fall into one group
    assert (order.tolist(), starts.tolist()) == ([0, 1, 2, 3, 4], [0])
    order, starts = grouped._by_hash(hashes)
    assert (order.tolist(), starts.tolist()) == ([1, 3, 4, 0, 2], [0, 2, 3])


def test_a_group_of_two_keys_is_sorted_again_and_never_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys = ["a", "b", "a", "c"]
    whole = (np.arange(4), np.array([0]))  # every row in one group
    monkeypatch.setattr(grouped, "_packed", lambda hashes: whole)
    assert set(rows_of(group(pl.Series(keys)))) == rows_by_key(keys)
    monkeypatch.setattr(grouped, "_by_hash", lambda hashes: whole)
    with pytest.raises(AssertionError, match="collision"):
        group(pl.Series(keys))


def test_blocks_hold_every_group_once_by_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouped, "_GROUPS", 2)
    keys = list("aaabbbcccdddeefghh")
    groups = group(pl.Series(keys))
    blocks = list(groups.blocks())
    assert [rows.shape for _, rows in blocks] == [(2, 1), (2, 2), (2, 3), (2, 3)]
    whole = rows_of(groups)
    for which, rows in blocks:
        assert [tuple(own) for own in rows] == [whole[one] for one in which]
