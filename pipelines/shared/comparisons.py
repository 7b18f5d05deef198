"""From rows of a comparison table to the plain values that training takes."""

from __future__ import annotations

import polars as pl

from training.trainers.examples import Comparison


def of(frame: pl.DataFrame) -> list[Comparison]:
    """Comparisons of any table with pair_id, prompt, chosen, rejected and margin, by pair_id."""
    columns = ["pair_id", "prompt", "chosen", "rejected", "margin"]
    return [
        Comparison(key, prompt, chosen[-1]["content"], rejected[-1]["content"], margin)
        for key, prompt, chosen, rejected, margin in frame.sort("pair_id")
        .select(columns)
        .iter_rows()
    ]
