"""Which rows of a benchmark a training table holds: their prompts, and their answers."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from curation.mixing import decontaminate, shingles
from curation.mixing.decontaminate import Settings

col = pl.col
SIDES = ("chosen", "rejected")


def rows(
    tables: Iterable[pl.DataFrame], items: pl.DataFrame, settings: Settings
) -> tuple[set[str], set[str]]:
    """item_ids whose prompt is in the tables, and of these those with an answer that is too.

    A prompt is there where it shares n-grams with one of a table, or is the same, as in
    decontamination; an answer where one of the same text stands in a row of such a prompt.

    Args:
        tables: frames with prompt_id, prompt, chosen and rejected (messages).
        items: item_id, text (the prompt's user turns) and responses (a list of texts).
    """
    benchmark = items.select(pl.lit("rows").alias("benchmark"), "item_id", "text")
    said = items.select("item_id", col("responses").alias("text")).explode("text").drop_nulls()
    said = said.with_columns(shingles.normalised(said["text"])).filter(col("text") != "").unique()
    prompts: set[str] = set()
    answers: set[str] = set()
    for frame in tables:
        hits = decontaminate.each([frame], benchmark, settings)
        pairs = hits.select("prompt_id", "item_id").unique()
        prompts |= set(pairs["item_id"])
        found = frame.join(pairs, on="prompt_id").join(said, on="item_id")
        answers |= set(_same(found)["item_id"]) if found.height else set()
    return prompts, answers


def _same(found: pl.DataFrame) -> pl.DataFrame:
    """Rows whose own answer is one of the table's row."""
    last = [col(side).list.last().struct.field("content") for side in SIDES]
    texts = [shingles.normalised(found.select(one).to_series()) for one in last]
    return found.filter((texts[0] == found["text"]) | (texts[1] == found["text"]))
