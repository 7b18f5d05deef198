"""Comparisons in the forms other programs read: TRL conversational, RLHFlow standard."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

col = pl.col


def trl(pairs: pl.LazyFrame) -> pl.LazyFrame:
    """prompt, chosen and rejected as message lists, the prompt apart."""
    return pairs.select("prompt", "chosen", "rejected", "pair_id")


def rlhflow(pairs: pl.LazyFrame) -> pl.LazyFrame:
    """chosen and rejected as whole conversations that share all but the last turn."""
    return pairs.select(
        pl.concat_list("prompt", "chosen").alias("chosen"),
        pl.concat_list("prompt", "rejected").alias("rejected"),
        "pair_id",
    )


FORMS: dict[str, Callable[[pl.LazyFrame], pl.LazyFrame]] = {"trl": trl, "rlhflow": rlhflow}
