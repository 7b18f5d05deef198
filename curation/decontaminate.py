"""Training text that holds benchmark items: n-gram overlap and exact match of normalised text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from curation import shingles

col = pl.col


@dataclass(frozen=True)
class Settings:
    """What counts as a hit: `min_hits` shared n-grams of `ngram` words, or the same text."""

    ngram: int = 13
    exact: bool = True
    min_hits: int = 1


def hits(
    prompts: Iterable[pl.DataFrame], benchmarks: pl.DataFrame, settings: Settings
) -> pl.DataFrame:
    """One row per contaminated prompt: prompt_id and a detail of benchmark, item and text.

    Args:
        prompts: Frames with prompt_id and prompt (messages); the user turns count.
        benchmarks: Rows of the benchmark table.
    """
    items = benchmarks.select(
        "benchmark", "item_id", shingles.normalised(col("text")).alias("text")
    ).filter(col("text") != "")
    known = shingles.hashes(items["text"], settings.ngram)
    found = [pl.DataFrame(schema=_HIT)]
    for batch in prompts:
        texts = _user_texts(batch)
        found.append(_overlaps(texts, items, known, settings))
        if settings.exact:
            found.append(_same(texts, items))
    ordered = pl.concat(found).sort("prompt_id", "order", "benchmark", "item_id")
    return ordered.unique("prompt_id", keep="first", maintain_order=True).select(
        "prompt_id",
        pl.format("{} {}: {}", "benchmark", "item_id", "match").alias("detail"),
    )


_HIT = {
    "prompt_id": pl.String,
    "benchmark": pl.String,
    "item_id": pl.String,
    "match": pl.String,
    "order": pl.Int32,
}


def _user_texts(prompts: pl.DataFrame) -> pl.DataFrame:
    turns = prompts.explode("prompt").filter(col("prompt").struct.field("role") == "user")
    return turns.select(
        "prompt_id", shingles.normalised(col("prompt").struct.field("content")).alias("text")
    )


def _same(texts: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    return texts.join(items, on="text").select(
        "prompt_id", "benchmark", "item_id", col("text").alias("match"), pl.lit(0).alias("order")
    )


def _overlaps(
    texts: pl.DataFrame, items: pl.DataFrame, known: pl.DataFrame, settings: Settings
) -> pl.DataFrame:
    """Prompts that share at least `min_hits` different n-grams with one item."""
    n = settings.ngram
    rows = _among(shingles.hashes(texts["text"], n), known["gram"].unique())
    # the hash only narrows down: the few candidates are compared as text
    suspects = texts[rows["row"].unique().sort()].unique()
    near = known.filter(col("gram").is_in(rows["gram"].unique().implode()))
    shared = shingles.grams(suspects, n).join(
        shingles.grams(items[near["row"].unique().sort()], n), on="match"
    )
    return (
        shared.group_by("prompt_id", "benchmark", "item_id")
        .agg(col("match").n_unique().alias("hits"), col("match").min())
        .filter(col("hits") >= settings.min_hits)
        .select("prompt_id", "benchmark", "item_id", "match", pl.lit(1).alias("order"))
    )


_BITS = 24


def _among(rows: pl.DataFrame, known: pl.Series) -> pl.DataFrame:
    """The rows whose gram is known; a table of bits spares most of them the exact look-up."""
    import numpy as np

    mask = np.uint64(2**_BITS - 1)
    bits = np.zeros(2**_BITS, dtype=bool)
    bits[known.to_numpy() & mask] = True
    likely = bits[rows["gram"].to_numpy() & mask]
    return rows.filter(pl.Series(likely)).filter(col("gram").is_in(known.implode()))
