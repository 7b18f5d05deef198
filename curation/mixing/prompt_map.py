"""A 2-D map of texts: TF-IDF or given vectors, SVD, k-means; same texts, same map."""

from __future__ import annotations

from typing import Any

import polars as pl

DIMENSIONS = 32
DIGITS = 6  # coordinates are rounded: the last bits of a matrix product are not portable


def coordinates(
    texts: list[str], clusters: int, seed: int, vectors: Any | None = None
) -> pl.DataFrame:
    """map_x, map_y and cluster of each text, in the order given.

    Clusters are numbered by size, the largest 0.

    Args:
        vectors: (texts, dimensions) embeddings to map; TF-IDF weights of the texts when None.
    """
    from threadpoolctl import threadpool_limits

    if len(texts) < 3:
        return pl.DataFrame(
            {"map_x": [0.0] * len(texts), "map_y": [0.0] * len(texts), "cluster": 0}
        )
    with threadpool_limits(limits=1):  # one thread: sums in one order
        points = _points(_weights(texts) if vectors is None else vectors, seed)
        labels = _labels(points, min(clusters, len(texts)), seed)
    frame = pl.DataFrame(
        {"map_x": points[:, 0], "map_y": points[:, 1], "_label": labels}
    ).with_columns(pl.col("map_x", "map_y").round(DIGITS) + 0.0)
    return frame.join(_by_size(frame), on="_label", maintain_order="left").drop("_label")


def _weights(texts: list[str]) -> Any:
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(
        sublinear_tf=True, max_features=50_000, token_pattern=r"[^\W_]+|[^\s\w]", dtype=np.float64
    ).fit_transform(texts)


def _points(weights: Any, seed: int) -> Any:
    import numpy as np
    from sklearn.decomposition import TruncatedSVD
    from sklearn.preprocessing import normalize

    if min(weights.shape) < 3:
        return np.zeros((weights.shape[0], 2))
    size = max(2, min(DIMENSIONS, min(weights.shape) - 1))
    return normalize(TruncatedSVD(size, random_state=seed).fit_transform(weights))


def _labels(points: Any, clusters: int, seed: int) -> Any:
    from sklearn.cluster import KMeans, MiniBatchKMeans

    if len(points) > 50_000:
        return MiniBatchKMeans(clusters, random_state=seed, n_init=3).fit_predict(points)
    return KMeans(clusters, random_state=seed, n_init=3).fit_predict(points)


def _by_size(frame: pl.DataFrame) -> pl.DataFrame:
    """Old label -> number by size; equal sizes by mean place."""
    sizes = frame.group_by("_label").agg(
        pl.len().alias("size"), pl.col("map_x", "map_y").mean().round(DIGITS)
    )
    ordered = sizes.sort("size", "map_x", "map_y", descending=[True, False, False])
    return ordered.select("_label", pl.int_range(pl.len(), dtype=pl.Int64).alias("cluster"))
