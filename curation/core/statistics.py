"""Figures of a set or a mix, in the form of the paper's data table and a little more."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

col = pl.col
DECILES = tuple(tenth / 10 for tenth in range(1, 10))


def ledger(rows_in: int, kept: int, rejects: pl.LazyFrame) -> dict[str, Any]:
    """rows_in, kept, rejected and the number of rejects by rule."""
    counts = rejects.group_by("rule").len().sort("rule").collect()
    rules = dict(zip(counts["rule"].to_list(), counts["len"].to_list(), strict=True))
    return {"rows_in": rows_in, "kept": kept, "rejected": sum(rules.values()), "rules": rules}


def counted(counts: pl.DataFrame) -> dict[str, Any]:
    """`ledger` of counted rows: columns rule (null: kept) and len."""
    sizes = counts.group_by("rule").agg(col("len").sum()).sort("rule").rows()
    rules = {rule: size for rule, size in sizes if rule is not None}
    kept = sum(size for rule, size in sizes if rule is None)
    rejected = sum(rules.values())
    return {"rows_in": kept + rejected, "kept": kept, "rejected": rejected, "rules": rules}


def preferences(frame: pl.LazyFrame) -> dict[str, Any]:
    """Prompts, pairs, mean lengths, annotators, longer-chosen share, margins, turns."""
    sides = ("prompt", "chosen", "rejected")
    means = [
        col(f"{side}_{unit}").mean().alias(f"mean_{side}_{unit}")
        for side in sides
        for unit in ("chars", "tokens")
    ]
    facts = frame.select(
        pl.len().alias("pairs"),
        *means,
        (col("chosen_chars") > col("rejected_chars")).mean().alias("share_chosen_longer"),
        (col("chosen_chars") == col("rejected_chars")).mean().alias("share_equal_length"),
        col("turns").mean().alias("mean_turns"),
        col("turns").max().alias("max_turns"),
        col("annotator").unique().sort().alias("annotators").implode(),
    ).collect(engine="streaming")
    margins = frame.select(col("margin").drop_nulls()).collect(engine="streaming")["margin"].sort()
    deciles = [margins.quantile(q, "nearest") for q in DECILES] if margins.len() else None
    counted = {"prompts": _distinct(frame, "prompt_id"), "margin_deciles": deciles}
    return {**facts.row(0, named=True), **counted}


def _distinct(frame: pl.LazyFrame, name: str) -> int:
    """Number of distinct strings, by a 64-bit hash of each: a set of them is 10 times larger.

    Two of ten million share a hash with a chance of 3 in a million; the number is then one less.
    """
    hashed = frame.select(col(name).hash()).collect(engine="streaming").to_series().to_numpy()
    ordered = np.sort(hashed)
    return int(np.count_nonzero(ordered[1:] != ordered[:-1])) + min(1, len(ordered))


def by_source(frame: pl.LazyFrame, whole: dict[str, Any]) -> dict[str, Any]:
    """The same figures for each source of a mix; a single source's are those of the whole."""
    names = frame.select(col("source").unique().sort()).collect()["source"].to_list()
    if len(names) == 1:
        return {names[0]: whole}
    return {name: preferences(frame.filter(col("source") == name)) for name in names}


def demonstrations(frame: pl.LazyFrame) -> dict[str, Any]:
    """Examples, prompts, mean lengths and turns of an SFT table, in all and by source."""
    return {"all": _texts(frame, "turns"), "by_source": _grouped(frame, "turns")}


def prompts(frame: pl.LazyFrame) -> dict[str, Any]:
    """Prompts and mean lengths of a prompt table, in all and by source."""
    return {"all": _texts(frame), "by_source": _grouped(frame)}


def _figures(more: tuple[str, ...]) -> list[pl.Expr]:
    return [
        pl.len().alias("rows"),
        col("prompt_id").n_unique().alias("prompts"),
        col("n_chars").mean().alias("mean_chars"),
        col("n_tokens").mean().alias("mean_tokens"),
        *(col(name).mean().alias(f"mean_{name}") for name in more),
    ]


def _texts(frame: pl.LazyFrame, *more: str) -> dict[str, Any]:
    return frame.select(_figures(more)).collect().row(0, named=True)


def _grouped(frame: pl.LazyFrame, *more: str) -> dict[str, Any]:
    rows = frame.group_by("source").agg(_figures(more)).sort("source").collect()
    return {row.pop("source"): row for row in rows.iter_rows(named=True)}
