"""Near-duplicate texts: MinHash LSH over word shingles, verified by the true Jaccard similarity."""

from __future__ import annotations

from itertools import chain
from typing import Any

import polars as pl

from curation.core.threads import mapped
from curation.mixing import shingles

col = pl.col
SHINGLE, PERMUTATIONS, BANDS, SEED = 3, 90, 18, 7  # at similarity 0.75 a pair is missed in 0.8%
THRESHOLD = 0.75
BATCH = 8_192
CROWD = 32
"""A band bucket with more members is compared with its first CROWD members only."""


def near_clusters(prompts: pl.DataFrame, threshold: float = THRESHOLD) -> pl.DataFrame:
    """Clusters of near-duplicate texts: prompt_id and cluster (the lowest prompt_id in it).

    Only texts that have a near-duplicate appear. Two texts are near-duplicates when the Jaccard
    similarity of their sets of word 3-grams is at least `threshold`; clusters are closed under it.

    Args:
        prompts: Columns prompt_id (unique) and text.
        threshold: Similarity from which two texts are the same.
    """
    texts = prompts.sort("prompt_id")
    pairs = _candidates(texts["text"])
    linked = _verified(texts["text"], pairs, threshold)
    parent = _components(texts.height, linked)
    roots = pl.DataFrame({"prompt_id": texts["prompt_id"], "root": parent}).with_columns(
        texts["prompt_id"].gather(parent).alias("cluster")
    )
    return roots.filter(pl.len().over("root") > 1).drop("root")


def _candidates(texts: pl.Series) -> pl.DataFrame:
    """Pairs of rows (a < b) that share a band of their sketches."""
    starts = range(0, max(len(texts), 1), BATCH)
    keys = pl.concat(mapped(lambda start: _bands(texts.slice(start, BATCH), start), starts))
    found = [
        _sharing(keys.select("row", col(f"band_{band}").alias("key"))) for band in range(BANDS)
    ]
    return pl.concat(found).unique()


def _bands(texts: pl.Series, start: int) -> pl.DataFrame:
    """One key per band of each text's MinHash sketch."""
    import numpy as np
    import rensa

    flat = shingles.hashes(shingles.normalised(texts), SHINGLE, whole_if_short=True)
    counts = np.bincount(flat["row"].to_numpy(), minlength=len(texts))
    rows = np.flatnonzero(counts)
    offsets = np.concatenate([[0], np.cumsum(counts[rows])]).astype(np.uint64)
    matrix = rensa.RMinHash.digest_matrix_from_flat_token_hashes(
        flat["gram"].to_numpy(), offsets, PERMUTATIONS, SEED
    )
    numbers = chain.from_iterable(matrix.to_rows())
    flat_sketch = np.fromiter(numbers, np.uint32, len(rows) * PERMUTATIONS)
    sketch = flat_sketch.reshape(-1, BANDS, PERMUTATIONS // BANDS)
    keys = np.zeros(sketch.shape[:2], dtype=np.uint64)
    for place in range(sketch.shape[2]):
        keys = keys * np.uint64(0x9E3779B97F4A7C15) + sketch[:, :, place]
    columns: dict[str, Any] = {f"band_{band}": keys[:, band] for band in range(BANDS)}
    return pl.DataFrame({"row": (rows + start).astype(np.uint32), **columns})


def _sharing(keys: pl.DataFrame) -> pl.DataFrame:
    """Pairs of rows with the same key."""
    shared = keys.filter(col("key").is_duplicated()).sort("row")
    first = shared.filter(pl.int_range(pl.len()).over("key") < CROWD)
    pairs = first.join(shared, on="key", suffix="_b").filter(col("row") < col("row_b"))
    return pairs.select(col("row").alias("a"), col("row_b").alias("b"))


def _verified(texts: pl.Series, pairs: pl.DataFrame, threshold: float) -> pl.DataFrame:
    """The pairs whose Jaccard similarity reaches the threshold."""
    rows = pl.concat([pairs["a"], pairs["b"]]).unique().sort()
    plain = shingles.normalised(texts.gather(rows))
    grams = shingles.hashes(plain, SHINGLE, whole_if_short=True).unique()
    sets = grams.group_by("row").agg("gram").sort("row")
    known = pl.DataFrame({"row": rows.gather(sets["row"]), "gram": sets["gram"]})
    joined = pairs.join(known, left_on="a", right_on="row").join(
        known, left_on="b", right_on="row", suffix="_b"
    )
    common = col("gram").list.set_intersection("gram_b").list.len()
    union = col("gram").list.len() + col("gram_b").list.len() - common
    return joined.filter(common / union >= threshold).select("a", "b")


def _components(size: int, links: pl.DataFrame) -> pl.Series:
    """The lowest row of each row's connected component."""
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ends = (links["a"].to_numpy(), links["b"].to_numpy())
    linked = coo_array((np.ones(links.height, dtype=bool), ends), shape=(size, size))
    _, labels = connected_components(linked, directed=False)
    _, lowest = np.unique(labels, return_index=True)
    return pl.Series(lowest[labels], dtype=pl.UInt32)
