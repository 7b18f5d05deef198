"""Rules asked: the first matching one, in the order of params.yaml, names the reject."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from curation.rules.filters import Bound

col = pl.col


def ask(items: pl.LazyFrame, rules: Sequence[Bound]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Ask every rule of every item.

    Returns:
        All items, with a column _rule: the name of the first rule that drops it, else null; and
        those that are dropped, with _detail: what that rule saw, as text.
    """
    judged = items.with_columns(pl.lit(None, dtype=pl.String).alias("_rule"))
    for group in _stages(rules):
        hits = [pl.when(rule.drop.fill_null(False)).then(pl.lit(rule.name)) for rule in group]
        judged = judged.with_columns(pl.coalesce(col("_rule"), *hits).alias("_rule"))
    whole = judged.collect()
    said = [pl.when(col("_rule") == rule.name).then(rule.detail) for rule in rules]
    detail = pl.coalesce(*said, pl.lit("")).fill_null("")
    dropped = whole.filter(col("_rule").is_not_null())
    return whole, dropped.with_columns(detail.alias("_detail"))


def _stages(rules: Sequence[Bound]) -> list[list[Bound]]:
    """Runs of rules that can be decided together: a window rule stands alone."""
    stages: list[list[Bound]] = []
    for rule in rules:
        if rule.window or not stages or stages[-1][0].window:
            stages.append([])
        stages[-1].append(rule)
    return stages
