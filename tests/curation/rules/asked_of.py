"""One rule asked of literal items, for several test files."""

from __future__ import annotations

from typing import Any

import polars as pl

from curation.core.schema import MESSAGES
from curation.rules.filters import bind

ITEM = {"prompt": pl.String, "chosen": pl.String, "rejected": pl.String}


def dropped(rule: str, *items: tuple[str, str, str | None], threshold: Any = None) -> list[Any]:
    """What the rule says of each item (prompt, chosen, rejected) that it drops, else None."""
    [bound] = bind([rule if threshold is None else {rule: threshold}], "test")
    said = pl.struct(pl.lit("user").alias("role"), pl.col("prompt").alias("content"))
    frame = pl.DataFrame(items, schema=ITEM, orient="row")
    whole = frame.with_columns(pl.concat_list(said).cast(MESSAGES).alias("prompt"))
    told = whole.select(pl.when(bound.drop.fill_null(False)).then(bound.detail))
    return told.to_series().to_list()
