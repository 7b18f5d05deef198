"""What-if: kept, flipped, added and dropped comparisons add up."""

from __future__ import annotations

import polars as pl

from curation.pairing.what_if import KEYS, changes, summary, text

BEFORE = pl.DataFrame(
    [("p", "a", "b"), ("q", "c", "d"), ("r", "e", "f"), ("s", "g", "h")], schema=KEYS, orient="row"
)
AFTER = pl.DataFrame([("p", "a", "b"), ("q", "d", "c"), ("r", "e", "x")], schema=KEYS, orient="row")
METRICS = {
    "pairs": 4, "yield": 1.0, "margin_mean": 2.0, "chosen_reward_mean": 1.0,
    "rejected_reward_mean": 0.0, "chosen_chars_mean": 10.0, "rejected_chars_mean": 9.0,
    "chosen_longer_rate": 0.5, "length_penalty": 0.0, "length_adjusted_pearson": None, "rules": {},
}  # fmt: skip


def test_changes() -> None:
    assert changes(BEFORE, AFTER) == {"kept": 1, "flipped": 1, "added": 1, "dropped": 2}
    assert changes(BEFORE, BEFORE) == {"kept": 4, "flipped": 0, "added": 0, "dropped": 0}


def test_summary_and_its_text() -> None:
    after = {**METRICS, "pairs": 3, "margin_mean": 1.5, "rules": {"tie": 1}}
    found = summary(METRICS, after, changes(BEFORE, AFTER))
    assert found["figures"]["margin_mean"] == {"before": 2.0, "after": 1.5, "change": -0.5}
    assert found["figures"]["length_adjusted_pearson"]["change"] is None
    lines = text(found).splitlines()
    assert lines[0] == "pairs: 1 kept, 1 flipped, 1 added, 2 dropped"
    assert lines[-1] == "rejects after: tie 1"
    assert any(line.split()[-3:] == ["2", "1.5", "-0.5"] for line in lines)
