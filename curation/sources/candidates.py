"""Native rows to candidate items, with what the source's rules read of them."""

from __future__ import annotations

import polars as pl

from curation.core import messages
from curation.core.errors import UserError
from curation.rules.filters import Filters
from curation.sources.base import renames
from curation.sources.judged import CountTokens, Normaliser

col = pl.col


def candidates(
    native: pl.LazyFrame, source: Normaliser, filters: Filters, count: CountTokens | None
) -> pl.LazyFrame:
    """Candidate items, with token counts where a rule reads them.

    Raises:
        UserError: a listed rule reads what the format does not give, or needs a tokenizer.
    """
    named = native.rename(renames(source.layout, source.options))
    have = named.collect_schema()
    lacking = {name: one for name, one in source.layout.columns.items() if name not in have}
    if lacking:  # the file's column of that name stands in for another
        named = named.with_columns(pl.lit(None, dtype=one).alias(n) for n, one in lacking.items())
    items = source.layout.expand(named, source.options)
    if filters.counts:
        if count is None:
            raise UserError(
                f"sources.{source.name}.filters: over_long_prompt needs --tokenizer to count with"
            )
        items = items.with_columns(count(messages.contents(col("prompt"))).alias("prompt_tokens"))
    have = items.collect_schema()
    for rule in filters.rules:
        missing = [name for name in rule.needs if name not in have]
        if missing:
            raise UserError(
                f"sources.{source.name}.filters: {rule.name} reads "
                f"{', '.join(missing).replace('_', ' ').strip()}, "
                f"which format {source.format.name} does not give"
            )
    return items
