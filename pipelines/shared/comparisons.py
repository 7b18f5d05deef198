"""From rows of a comparison table to the plain values that training takes."""

from __future__ import annotations

import polars as pl

from training.core.sampled import TEXT, Sampled
from training.trainers.examples import Comparison

_COLUMNS = ["pair_id", "prompt", "chosen", "rejected", "margin"]
_SIDES = ("chosen", "rejected")


def of(frame: pl.DataFrame) -> list[Comparison]:
    """Comparisons of any table with pair_id, prompt, chosen, rejected and margin, by pair_id.

    Where the table holds what was sampled (pairs and history do), the comparisons do too.
    """
    rows = frame.sort("pair_id")
    chosen, rejected = (_sampled(rows, side) for side in _SIDES)
    return [
        Comparison(key, prompt, said[-1]["content"], other[-1]["content"], margin, *sampled)
        for (key, prompt, said, other, margin), *sampled in zip(
            rows.select(_COLUMNS).iter_rows(), chosen, rejected, strict=True
        )
    ]


def _sampled(rows: pl.DataFrame, side: str) -> list[Sampled]:
    columns = [f"{side}_token_ids", "template_sha", f"{side}_cut"]
    if not set(columns) <= set(rows.columns):
        return [TEXT] * rows.height
    return [Sampled(ids, sha, bool(cut)) for ids, sha, cut in rows.select(columns).iter_rows()]
