"""Near-duplicate texts: one goes only where a text that stays is near it, by the true similarity.

MinHash bands propose pairs, sketches thin them out, the Jaccard similarity of the sets of word
3-grams decides. Chains do not matter: a text that is near a dropped one only stays.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from curation.mixing import shingles
from curation.mixing.sketches import SHINGLE, Sketches

col = pl.col
THRESHOLD = 0.75
CROWD = 32
"""Texts that share a key are all compared up to so many; of more, those that stay are, in turns."""
PIVOTS = 4_096
"""Texts that stay with which one key's others are compared at most: a million that share their
first words do not cost a million squared."""
_TURN = 4_000_000  # comparisons of a turn
_CHUNK = 1 << 16
_LINK = pl.Schema({"a": pl.UInt32, "b": pl.UInt32, "similarity": pl.Float64})


def near_duplicates(prompts: pl.DataFrame, threshold: float = THRESHOLD) -> pl.DataFrame:
    """The texts that go: prompt_id, near (the prompt_id of the nearest that stays), similarity.

    Two texts are near where the Jaccard similarity of their sets of word 3-grams is at least
    `threshold`. Of near texts the first stays; each that goes is near one that stays.

    Args:
        prompts: Columns prompt_id (unique) and text, in order of preference.
        threshold: Similarity from which two texts are the same.
    """
    sketches = Sketches.of(prompts["text"], threshold)
    links = _Links(prompts["text"], sketches)
    links.add(pl.concat(_sharing(sketches.keys, band) for band in sketches.bands))
    crowds = _Crowds(sketches.keys, sketches.bands)
    while not (pairs := crowds.next(links.stay())).is_empty():
        links.add(pairs)
    names = prompts["prompt_id"]
    gone = links.gone()
    return pl.DataFrame(
        {
            "prompt_id": names.gather(gone["b"]),
            "near": names.gather(gone["a"]),
            "similarity": gone["similarity"],
        }
    )


def _sharing(keys: pl.DataFrame, band: str) -> pl.DataFrame:
    """Pairs of rows (a < b) with the same key, one of them among the first of the key."""
    shared = keys.select("row", key=band).filter(col("key").is_duplicated()).sort("row")
    first = shared.filter(pl.int_range(pl.len()).over("key") < CROWD)
    pairs = first.join(shared, on="key", suffix="_b").filter(col("row") < col("row_b"))
    return pairs.select(col("row").alias("a"), col("row_b").alias("b")).unique()


class _Links:
    """Pairs of texts that are near, and which texts stay by them."""

    def __init__(self, texts: pl.Series, sketches: Sketches) -> None:
        self._texts, self._sketches = texts, sketches
        self._links = pl.DataFrame(schema=_LINK)

    def add(self, pairs: pl.DataFrame) -> None:
        """Verify pairs (a < b) and keep those that are near."""
        asked = self._sketches.likely(pairs.unique()).join(self._links, on=["a", "b"], how="anti")
        if not asked.is_empty():
            found = _verified(self._texts, asked, self._sketches.threshold)
            self._links = pl.concat([self._links, found])

    def stay(self) -> Any:
        """Whether each text stays: none before it that stays is near it."""
        return staying(len(self._texts), self._links["a"].to_numpy(), self._links["b"].to_numpy())

    def gone(self) -> pl.DataFrame:
        """The texts that go (b, ascending), each with the nearest that stays (a)."""
        held = self._links.filter(pl.Series(self.stay()).gather(self._links["a"]))
        ordered = held.sort("b", "similarity", "a", descending=[False, True, False])
        return ordered.unique("b", keep="first", maintain_order=True)


def staying(size: int, first: Any, second: Any) -> Any:
    """The rows that stay if, in order, each goes that a row which stays is linked with.

    Args:
        size: number of rows.
        first: the earlier row of each link.
        second: the later one.
    """
    import numpy as np

    both = np.concatenate([first, second]).astype(np.int64)
    rows, ends = np.unique(both, return_inverse=True)
    a, b = np.split(ends, 2)
    gone = np.zeros(rows.size, dtype=bool)
    while a.size:
        waits = np.zeros(rows.size, dtype=bool)
        waits[b] = True  # a row before them may stay
        gone[b[~waits[a]]] = True
        left = ~(gone[a] | gone[b])
        a, b = a[left], b[left]
    stay = np.ones(size, dtype=bool)
    stay[rows[gone]] = False
    return stay


class _Crowds:
    """Keys that too many texts share: those that stay are compared with the others in turns."""

    def __init__(self, keys: pl.DataFrame, bands: list[str]) -> None:
        parts = [
            keys.select("row", key=pl.concat_str(pl.lit(band), col(band), separator=":").hash())
            for band in bands
        ]
        crowded = [part.filter(pl.len().over("key") > CROWD) for part in parts]
        placed = pl.concat(crowded).sort("key", "row")
        place = pl.int_range(pl.len()).over("key")
        self._rows = placed.with_columns(done=place < CROWD, turns=pl.lit(CROWD, dtype=pl.UInt32))

    def next(self, stay: Any) -> pl.DataFrame:
        """Pairs (a < b) of the next texts that stay with the others of their keys that do."""
        alive = self._rows.filter(pl.Series(stay).gather(self._rows["row"]))
        waiting = alive.filter(~col("done"), col("turns") < PIVOTS)
        size = alive.group_by("key").agg(pl.len().cast(pl.Int64).alias("size"))
        # a row meets all its keys' others at once: most keys of a crowd hold the same texts
        ranked = waiting.join(size, on="key").sort("row", "key")
        pivots = ranked.filter((col("size").cum_sum() <= _TURN) | (pl.int_range(pl.len()) == 0))
        self._mark(pivots)
        both = pivots.select("key", "row").join(alive.select("key", "row"), on="key", suffix="_b")
        ends = both.filter(col("row") != col("row_b")).select(
            a=pl.min_horizontal("row", "row_b"), b=pl.max_horizontal("row", "row_b")
        )
        return ends.unique()

    def _mark(self, pivots: pl.DataFrame) -> None:
        done = pivots.select("key", "row", now=pl.lit(True))
        more = pivots.group_by("key").agg(pl.len().cast(pl.UInt32).alias("more"))
        marked = self._rows.join(done, on=["key", "row"], how="left", maintain_order="left")
        counted = marked.join(more, on="key", how="left", maintain_order="left")
        self._rows = counted.select(
            "row",
            "key",
            done=col("done") | col("now").fill_null(False),
            turns=col("turns") + col("more").fill_null(0),
        )


def _verified(texts: pl.Series, pairs: pl.DataFrame, threshold: float) -> pl.DataFrame:
    """The pairs whose Jaccard similarity reaches the threshold, with it."""
    import numpy as np

    rows = pl.concat([pairs["a"], pairs["b"]]).unique().sort()
    sets = _sets(texts.gather(rows))
    sizes = np.diff(sets.indptr)
    first, second = (rows.search_sorted(pairs[end]).to_numpy() for end in ("a", "b"))
    found = np.empty(len(first), dtype=np.float64)
    for at in range(0, len(first), _CHUNK):
        a, b = first[at : at + _CHUNK], second[at : at + _CHUNK]
        common = np.diff(sets[a].multiply(sets[b]).tocsr().indptr)
        found[at : at + _CHUNK] = common / (sizes[a] + sizes[b] - common)
    whole = pairs.with_columns(pl.Series("similarity", found)).match_to_schema(_LINK)
    return whole.filter(col("similarity") >= threshold)


def _sets(texts: pl.Series) -> Any:
    """Texts by 3-grams, a matrix of those that each has."""
    import numpy as np
    from scipy.sparse import csr_array

    plain = shingles.normalised(texts)
    grams = shingles.hashes(plain, SHINGLE, whole_if_short=True).unique().sort("row", "gram")
    known, places = np.unique(grams["gram"].to_numpy(), return_inverse=True)
    ones = np.ones(len(places), dtype=np.int8)
    ends = (grams["row"].to_numpy().astype(np.int32), places.astype(np.int32))
    made = csr_array((ones, ends), shape=(len(texts), len(known)))
    made.sort_indices()
    return made
