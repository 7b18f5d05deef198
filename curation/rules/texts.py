"""The texts of an item as expressions, for rules that look at what is said."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from curation.rules.rule import Threshold

col = pl.col
SIDES = ("chosen", "rejected")
Check = Callable[[pl.Expr], pl.Expr]


def answers(check: Check) -> pl.Expr:
    """Whether an answer, of either side, passes a check."""
    return pl.any_horizontal(*(check(col(side)).fill_null(False) for side in SIDES))


def asked_last() -> pl.Expr:
    """The last turn of the prompt."""
    return col("prompt").list.last().struct.field("content")


def which(check: Check) -> pl.Expr:
    """The sides whose answers pass a check, as text."""
    said = [pl.when(check(col(side)).fill_null(False)).then(pl.lit(side)) for side in SIDES]
    return pl.concat_list(said).list.drop_nulls().list.join(" and ")


def matched(pattern: str) -> Callable[[Threshold], pl.Expr]:
    """A detail: the first match of a pattern in either answer, and the side it is in."""

    def detail(_: Threshold) -> pl.Expr:
        hit = pl.coalesce(col(side).str.extract(f"({pattern})", 1) for side in SIDES)
        return pl.format("{}: {}", which(lambda text: text.str.contains(pattern)), hit)

    return detail
