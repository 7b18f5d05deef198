"""Training text that holds benchmark items: n-gram overlap and exact match of normalised text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

from curation.core.threads import mapped
from curation.mixing import shingles

col = pl.col
BATCH = 16_384
"""Prompts looked at together: small enough for their words to stay in the processor's cache."""


@dataclass(frozen=True)
class Settings:
    """What counts as a hit: `min_hits` shared n-grams of `ngram` words, or the same text.

    A character is a word in scripts without spaces.
    """

    ngram: int = 13
    exact: bool = True
    min_hits: int = 1


def hits(
    prompts: Iterable[pl.DataFrame], benchmarks: pl.DataFrame, settings: Settings
) -> pl.DataFrame:
    """One row per contaminated prompt: prompt_id and a detail of all its hits.

    A hit is "benchmark item: matching text"; hits are joined by "; ", an exact match first.

    Args:
        prompts: Frames with prompt_id and prompt (messages); the user turns count.
        benchmarks: Rows of the benchmark table.
    """
    ordered = each(prompts, benchmarks, settings).sort("prompt_id", "order", "benchmark", "item_id")
    hit = pl.format("{} {}: {}", "benchmark", "item_id", "match").alias("detail")
    once = ordered.unique(["prompt_id", "benchmark", "item_id"], keep="first", maintain_order=True)
    return once.group_by("prompt_id", maintain_order=True).agg(hit.str.join("; "))


def each(
    prompts: Iterable[pl.DataFrame], benchmarks: pl.DataFrame, settings: Settings
) -> pl.DataFrame:
    """One row per prompt, item and kind of hit: prompt_id, benchmark, item_id, match, order."""
    items = benchmarks.select("benchmark", "item_id", "text").with_columns(
        shingles.normalised(benchmarks["text"]).alias("text")
    )
    items = items.filter(col("text") != "")
    known = Known.of(shingles.hashes(items["text"], settings.ngram))

    def found_in(part: pl.DataFrame) -> pl.DataFrame:
        texts = _user_texts(part)
        found = _overlaps(texts, items, known, settings)
        return pl.concat([found, _same(texts, items)]) if settings.exact else found

    parts = (part for frame in prompts for part in frame.iter_slices(BATCH))
    found = [pl.DataFrame(schema=_HIT), *mapped(found_in, parts)]
    return pl.concat(found)


_HIT = {
    "prompt_id": pl.String,
    "benchmark": pl.String,
    "item_id": pl.String,
    "match": pl.String,
    "order": pl.Int32,
}


def _user_texts(prompts: pl.DataFrame) -> pl.DataFrame:
    turns = prompts.explode("prompt").unnest("prompt").filter(col("role") == "user")
    return pl.DataFrame(
        {"prompt_id": turns["prompt_id"], "text": shingles.normalised(turns["content"])}
    )


def _same(texts: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    return texts.join(items, on="text").select(
        "prompt_id", "benchmark", "item_id", col("text").alias("match"), pl.lit(0).alias("order")
    )


@dataclass(frozen=True)
class Known:
    """The grams of the benchmarks: rows of (item, gram), the grams sorted, and a table of bits."""

    rows: pl.DataFrame
    grams: Any
    bits: Any

    @staticmethod
    def of(rows: pl.DataFrame) -> Known:
        """Index the grams of the items."""
        import numpy as np

        grams = rows["gram"].unique().sort().to_numpy()
        bits = np.zeros(2**_BITS, dtype=bool)
        bits[grams & np.uint64(2**_BITS - 1)] = True
        return Known(rows, grams, bits)

    def among(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows whose gram is known; the bits spare most of them the exact look-up."""
        import numpy as np

        grams = rows["gram"].to_numpy()
        likely = np.flatnonzero(self.bits[grams & np.uint64(2**_BITS - 1)])
        if not len(likely) or not len(self.grams):
            return rows.clear()
        place = np.searchsorted(self.grams, grams[likely]).clip(max=len(self.grams) - 1)
        found: pl.DataFrame = rows[likely[self.grams[place] == grams[likely]]]
        return found


_BITS = 22


def _overlaps(
    texts: pl.DataFrame, items: pl.DataFrame, known: Known, settings: Settings
) -> pl.DataFrame:
    """Prompts that share at least `min_hits` different n-grams with one item."""
    n = settings.ngram
    rows = known.among(shingles.hashes(texts["text"], n))
    if rows.is_empty():
        return pl.DataFrame(schema=_HIT)
    # the hash only narrows down: the few candidates are compared as text
    suspects = texts[rows["row"].unique().sort()].unique()
    near = known.rows.filter(col("gram").is_in(rows["gram"].unique().implode()))
    shared = shingles.grams(suspects, n).join(
        shingles.grams(items[near["row"].unique().sort()], n), on="match"
    )
    return (
        shared.group_by("prompt_id", "benchmark", "item_id")
        .agg(col("match").n_unique().alias("hits"), col("match").min())
        .filter(col("hits") >= settings.min_hits)
        .select("prompt_id", "benchmark", "item_id", "match", pl.lit(1).alias("order"))
    )
