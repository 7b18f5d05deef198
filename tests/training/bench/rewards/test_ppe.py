"""PPE's two kinds of sets by hand."""

from __future__ import annotations

import numpy as np
import pytest

from training.bench.rewards import ppe
from training.bench.rewards.items import Item


def test_peoples_ties_are_left_out_and_flags_make_parts() -> None:
    items = [
        Item("1", "", [], ("a", "b"), (0,), {"hard_prompt": True}),
        Item("2", "", [], ("a", "b"), (1,), {"hard_prompt": True}),
        Item("3", "", [], ("a", "b"), (1,), {"hard_prompt": False}),
        Item("4", "", [], ("a", "b"), (0, 1), {"hard_prompt": True}),
    ]
    scores = [np.array(one) for one in ([1.0, 0], [1.0, 0], [0.0, 1], [5.0, 1])]
    found = ppe.preference(items, scores)
    assert found["score"] == pytest.approx(2 / 3)
    assert found["parts"] == {"hard_prompt": {"accuracy": 0.5, "rows": 2}}
    assert found["ties"] == 1


def test_correctness_is_over_the_sampled_conflicts() -> None:
    rows = {"sampled_conflict_pairs": [[0, 1], [1, 2], [2, 3]]}
    item = Item("1", "", [], ("a", "b", "c", "d"), (0, 2), rows)
    found = ppe.correctness([item], [np.array([3.0, 2.0, 1.0, 1.0])])
    assert (found["score"], found["conflicts"]) == (pytest.approx(1 / 3), 3)
    assert found["parts"]["best of all"]["accuracy"] == 1.0
    tied = ppe.correctness([item], [np.array([2.0, 2.0, 1.0, np.nan])])
    assert tied["parts"]["best of all"]["accuracy"] == 0.5
