"""From rows of a comparison table to the plain values that training takes."""

from __future__ import annotations

import polars as pl

from curation.core import ids
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


def repeated(history: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Repeat each pair by its weight; a fraction becomes a repeat by the hash of the pair id."""
    whole = pl.col("weight").floor()
    extra = ids.unit(pl.col("pair_id"), seed, "weight") < pl.col("weight") - whole
    repeats = (whole + extra.cast(pl.Float64)).cast(pl.UInt32)
    places = history.select(pl.int_range(pl.len()).repeat_by(repeats)).to_series()
    return history[places.explode().drop_nulls()]


def _sampled(rows: pl.DataFrame, side: str) -> list[Sampled]:
    columns = [f"{side}_token_ids", "template_sha", f"{side}_cut"]
    if not set(columns) <= set(rows.columns):
        return [TEXT] * rows.height
    return [Sampled(ids, sha, bool(cut)) for ids, sha, cut in rows.select(columns).iter_rows()]
