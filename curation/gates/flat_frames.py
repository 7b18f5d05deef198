"""Flat frames for Great Expectations: one row per source, per mix and source, or per id."""

from __future__ import annotations

import polars as pl

from curation.core.errors import UserError


def per_source(table: pl.LazyFrame, rejects: pl.LazyFrame, group: str) -> pl.DataFrame:
    """One row per source of a preference table or mix: sizes, lengths, labels, drops.

    Args:
        table: rows of preferences or mixes.
        rejects: its ledger.
        group: name of the table the rows describe, such as mix1.
    """
    longer = pl.col("chosen_chars") > pl.col("rejected_chars")
    rows = table.group_by("source").agg(
        pairs=pl.len(),
        prompts=pl.col("prompt_id").n_unique(),
        prompt_chars=pl.col("prompt_chars").mean(),
        chosen_chars=pl.col("chosen_chars").mean(),
        rejected_chars=pl.col("rejected_chars").mean(),
        shortest_answer=pl.min_horizontal("chosen_chars", "rejected_chars").min(),
        chosen_longer_rate=longer.mean(),
        smallest_margin=pl.col("margin").min(),
        turns=pl.col("turns").min(),
        licenses=pl.col("license").n_unique(),
    )
    drops = rejects.group_by("source").agg(rejects=pl.len(), rules=pl.col("rule").n_unique())
    joined = rows.join(drops, on="source", how="left").with_columns(
        pl.col("rejects", "rules").fill_null(0)
    )
    return (
        joined.select(
            pl.lit(group).alias("table"),
            pl.all(),
            drop_rate=pl.col("rejects") / (pl.col("rejects") + pl.col("pairs")),
        )
        .sort("source")
        .collect()
    )


def scores(table: pl.LazyFrame) -> pl.DataFrame:
    """Scores without their hashes."""
    return table.select("generation_id", "judge", "reward", "reason", "dtype").collect()


def pairs(table: pl.LazyFrame) -> pl.DataFrame:
    """Pairs without their texts; raw_margin is the margin of the raw rewards.

    Pairs that reviewers turned round are left out: their order follows people, not the reward.
    """
    lists = ("prompt", "chosen", "rejected", "flags")
    turned = pl.col("flags").list.contains("review_flipped")
    return (
        table.filter(~turned)
        .select(pl.exclude(*lists), raw_margin=pl.col("chosen_reward") - pl.col("rejected_reward"))
        .collect()
    )


def some(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """The frame itself.

    Raises:
        UserError: it has no rows, so nothing could be expected of it.
    """
    if not frame.height:
        raise UserError(f"{name}: has no rows; a suite over nothing would always pass")
    return frame
