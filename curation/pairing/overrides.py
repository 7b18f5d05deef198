"""What people said of a candidate pair, applied: it stands, it is turned round, or it goes."""

from __future__ import annotations

import polars as pl

KEPT, FLIPPED, DROPPED = "review_accepted", "review_flipped", "review_drop"
_SIDED = ("id", "reward", "adjusted", "chars", "tokens", "finish", "token_ids", "template_sha")


def override(candidates: pl.DataFrame, verdicts: pl.DataFrame | None) -> pl.DataFrame:
    """Apply settled verdicts to the candidates that stand; adds the column review.

    A comparison is known by its texts, whichever way round it stands now: people's verdict holds
    when another strategy or another judge orders it the other way. A candidate that is turned
    round swaps every column of its sides and negates its margin; a dropped one gets rule and
    detail.

    Args:
        candidates: candidates with pair_id, texts, margin, rule and detail.
        verdicts: pair_id, other_id (the same comparison the other way round), verdict (the pair_id
            that people prefer, or drop), detail; None or no rows change nothing.
    """
    if verdicts is None or verdicts.is_empty():
        return candidates.with_columns(review=pl.lit(None, dtype=pl.String))
    known = candidates.join(_both_ways(verdicts), on="pair_id", how="left", maintain_order="left")
    stands = pl.col("rule").is_null() & pl.col("verdict").is_not_null()
    judged = known.with_columns(
        review=pl.when(stands)
        .then(
            pl.when(pl.col("verdict") == "drop")
            .then(pl.lit(DROPPED))
            .when(pl.col("verdict") == pl.col("pair_id"))
            .then(pl.lit(KEPT))
            .otherwise(pl.lit(FLIPPED))
        )
        .otherwise(pl.lit(None, dtype=pl.String))
    )
    gone = pl.col("review") == DROPPED
    return _turned(judged).with_columns(
        rule=pl.when(gone).then(pl.lit(DROPPED)).otherwise("rule"),
        detail=pl.when(gone).then("told").otherwise("detail"),
    ).drop("turned_id", "verdict", "told")  # fmt: skip


def _both_ways(verdicts: pl.DataFrame) -> pl.DataFrame:
    """One row per way round of each comparison."""
    said = {"verdict": pl.col("verdict"), "told": pl.col("detail")}
    return pl.concat(
        [
            verdicts.select(pl.col("pair_id"), pl.col("other_id").alias("turned_id"), **said),
            verdicts.select(
                pl.col("other_id").alias("pair_id"), pl.col("pair_id").alias("turned_id"), **said
            ),
        ]
    )


def _turned(frame: pl.DataFrame) -> pl.DataFrame:
    """Swap the sides of the candidates that people turned round."""
    turn = pl.col("review").eq_missing(FLIPPED)
    sided = [f"_{name}" for name in _SIDED] + [""]
    swapped = {}
    for suffix in sided:
        chosen, rejected = pl.col(f"chosen{suffix}"), pl.col(f"rejected{suffix}")
        swapped[f"chosen{suffix}"] = pl.when(turn).then(rejected).otherwise(chosen)
        swapped[f"rejected{suffix}"] = pl.when(turn).then(chosen).otherwise(rejected)
    return frame.with_columns(
        **swapped,
        margin=pl.when(turn).then(-pl.col("margin")).otherwise("margin"),
        pair_id=pl.when(turn).then("turned_id").otherwise("pair_id"),
    )
