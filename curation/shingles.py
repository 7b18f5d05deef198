"""Word n-grams of many texts at once: one flat column of words, hashed by rolling sums."""

from __future__ import annotations

from typing import Any

import polars as pl

col = pl.col
_PRIME = 0x9E3779B97F4A7C15  # odd 64-bit multiplier; sums and products wrap


def normalised(text: pl.Expr) -> pl.Expr:
    """Lower case, compatibility forms, letters, digits and single spaces only."""
    lower = text.map_batches(_composed, return_dtype=pl.String, is_elementwise=True)
    return lower.str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()


def _composed(texts: pl.Series) -> pl.Series:
    """NFKC where it can change anything: ASCII, most of all text, is in that form already."""
    foreign = (texts.str.len_bytes() != texts.str.len_chars()).fill_null(False)
    if not foreign.any():
        return texts
    places = foreign.arg_true()
    return texts.scatter(places, texts.gather(places).str.normalize("NFKC"))


def hashes(texts: pl.Series, n: int, whole_if_short: bool = False) -> pl.DataFrame:
    """Columns row (place of the text) and gram: the hash of every run of n words of it.

    Args:
        texts: Normalised texts.
        n: Words per gram.
        whole_if_short: A text of fewer words gives one gram, its words; else it gives none.
    """
    words = pl.DataFrame({"text": texts}).select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"), col("text").str.split(" ")
    )
    short = col("text").list.len() < n
    if whole_if_short:
        words = words.with_columns(
            pl.when(short).then(_padded(col("text"), n)).otherwise("text").alias("text")
        )
    else:
        words = words.filter(~short)
    flat = words.explode("text", empty_as_null=True).select("row", col("text").hash())
    rows, grams = flat["row"].to_numpy(), _runs(flat["text"].to_numpy(), n)
    starts, ends = rows[: len(grams)], rows[n - 1 : n - 1 + len(grams)]
    made = pl.DataFrame({"row": starts, "gram": grams}).filter(pl.Series(starts == ends))
    return made.cast({"row": pl.UInt32, "gram": pl.UInt64})


def _runs(words: Any, n: int) -> Any:
    """Polynomial hashes of all runs of n words, built by doubling: n = 13 takes five sums."""
    import numpy as np

    size = len(words) - n + 1
    if size <= 0:
        return words[:0]
    total, done, piece, width = np.zeros(size, dtype=np.uint64), 0, words, 1
    while True:
        if n & width:
            total = total * _power(width) + piece[done : done + size]
            done += width
        if done == n:
            return total
        piece = piece[:-width] * _power(width) + piece[width:]
        width *= 2


def _power(width: int) -> Any:
    import numpy as np

    return np.uint64(pow(_PRIME, width, 2**64))


def _padded(words: pl.Expr, n: int) -> pl.Expr:
    """The words followed by n - 1 empty ones, cut to n: one gram."""
    return pl.concat_list(words, pl.lit([""] * (n - 1))).list.head(n)


def grams(texts: pl.DataFrame, n: int) -> pl.DataFrame:
    """The n-grams of column text as text (column match) beside the frame's other columns."""
    rows = texts.with_row_index("row").with_columns(col("text").str.split(" ")).explode("text")
    run = pl.concat_str([col("text").shift(-place) for place in range(n)], separator=" ")
    inside = col("row").shift(-(n - 1)) == col("row")
    made = rows.with_columns(run.alias("match"), inside.alias("inside")).filter("inside")
    return made.drop("row", "text", "inside").unique()
