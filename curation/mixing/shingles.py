"""Word n-grams of many texts at once: one flat column of words, hashed by rolling sums.

In scripts that put no spaces between words, a character with its marks is a word.
"""

from __future__ import annotations

from typing import Any

import polars as pl

col = pl.col
_GAP = r" *[^\p{L}\p{M}\p{N} ][^\p{L}\p{N}]*| {2,}"
"""A gap between words that is not yet a single space: most are, and cost nothing then. A mark
behind a letter belongs to it: Hindi and Thai write vowels and tones so."""
_SPACELESS = "".join(
    rf"\p{{{name}}}"
    for name in (
        *("Han", "Hiragana", "Katakana", "Bopomofo", "Yi", "Thai", "Lao", "Khmer", "Myanmar"),
        *("Tibetan", "Tai_Tham", "Tai_Viet", "New_Tai_Lue", "Tai_Le", "Javanese", "Balinese"),
    )
)
_CHARACTER = rf"([{_SPACELESS}\u30FC\uFF70]\p{{M}}*)"
"""A letter of a script without spaces (or the mark of a long vowel, which is of two scripts)."""
BLOCK = 1 << 15
"""Words hashed at a time: a block and its sums stay in the processor's cache."""
_PRIME = 0x9E3779B97F4A7C15  # odd 64-bit multiplier; sums and products wrap


def normalised(texts: pl.Series) -> pl.Series:
    """Lower case, compatibility forms, letters, digits and single spaces only.

    Each character of a script without spaces is a word of its own.
    """
    plain = col("text").str.to_lowercase().str.replace_all(_GAP, " ").str.strip_chars()
    return pl.DataFrame({"text": _composed(texts)}).select(plain)["text"]


def _composed(texts: pl.Series) -> pl.Series:
    """NFKC, and characters apart, where either can change anything: never in ASCII, most text."""
    foreign = (texts.str.len_bytes() != texts.str.len_chars()).fill_null(False)
    if not foreign.any():
        return texts
    places = foreign.arg_true()
    return texts.scatter(places, _apart(texts.gather(places).str.normalize("NFKC")))


def _apart(texts: pl.Series) -> pl.Series:
    """The texts with spaces around each character of a script without spaces."""
    dense = texts.str.contains(_CHARACTER).fill_null(False)
    if not dense.any():
        return texts
    places = dense.arg_true()
    return texts.scatter(places, texts.gather(places).str.replace_all(_CHARACTER, " $1 "))


def hashes(texts: pl.Series, n: int, whole_if_short: bool = False) -> pl.DataFrame:
    """Columns row (place of the text) and gram: the hash of every run of n words of it.

    Args:
        texts: Normalised texts.
        n: Words per gram.
        whole_if_short: A text of fewer words gives one gram, its words; else it gives none.
    """
    import numpy as np

    lacking = pl.Series(n - 1 - texts.str.count_matches(" ", literal=True).cast(pl.Int64))
    if whole_if_short:
        texts, fits = _padded(texts, lacking), texts.is_not_null()
    else:
        fits = (lacking <= 0).fill_null(False)
    rows = np.flatnonzero(fits.to_numpy()).astype(np.uint32)
    words = texts.filter(fits).str.split(" ")
    counts = words.list.len().to_numpy()
    flat = words.explode().hash().to_numpy()
    grams, ends = _runs(flat, n), np.repeat(rows, counts)
    inside = ends[: len(grams)] == ends[n - 1 : n - 1 + len(grams)]
    made = {"row": ends[: len(grams)][inside], "gram": grams[inside]}
    return pl.DataFrame(made, schema={"row": pl.UInt32, "gram": pl.UInt64})


def _runs(words: Any, n: int) -> Any:
    """Polynomial hashes of all runs of n words, a block at a time."""
    import numpy as np

    size = max(0, len(words) - n + 1)
    made = np.empty(size, dtype=np.uint64)
    for start in range(0, size, BLOCK):
        stop = min(start + BLOCK, size)
        made[start:stop] = _block(words[start : stop + n - 1], n)
    return made


def _block(words: Any, n: int) -> Any:
    """The hashes of one block, built by doubling: n = 13 takes five sums."""
    import numpy as np

    size = len(words) - n + 1
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


def _padded(texts: pl.Series, lacking: pl.Series) -> pl.Series:
    """Short texts with as many empty words behind them as they lack: one gram."""
    short = (lacking > 0).fill_null(False).arg_true()
    spaces = pl.Series([" " * lack for lack in lacking.gather(short)], dtype=pl.String)
    return texts.scatter(short, texts.gather(short) + spaces) if len(short) else texts


def grams(texts: pl.DataFrame, n: int) -> pl.DataFrame:
    """The n-grams of column text as text (column match) beside the frame's other columns."""
    rows = texts.with_row_index("row").with_columns(col("text").str.split(" ")).explode("text")
    run = pl.concat_str([col("text").shift(-place) for place in range(n)], separator=" ")
    inside = col("row").shift(-(n - 1)) == col("row")
    made = rows.with_columns(run.alias("match"), inside.alias("inside")).filter("inside")
    return made.drop("row", "text", "inside").unique()
