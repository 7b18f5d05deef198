"""The prompt pool: union of the prompt sets, deduplicated, decontaminated, bucketed, mapped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from curation.core import ids, messages, schema
from curation.mixing import decontaminate, held_out
from curation.mixing.decontaminate import Settings
from curation.mixing.mix import drop_copies, drop_near, mark

col = pl.col


@dataclass(frozen=True)
class Pool:
    """Limits of the pool, its held-out range of buckets, and the number of clusters of its map.

    Attributes:
        held_out: Sets whose prompts all fall into the held-out range.
        near: Similarity from which two prompts are near-duplicates; None keeps all but copies.
    """

    max_tokens: int
    min_chars: int
    eval_range: tuple[float, float]
    clusters: int
    split_seed: int
    held_out: tuple[str, ...] = ()
    near: float | None = None
    decontaminate: Settings = field(default_factory=Settings)


def decide(
    tables: Mapping[str, pl.LazyFrame], benchmarks: pl.DataFrame, pool: Pool
) -> pl.DataFrame:
    """The sets' rows with rule (null: it stays) and detail; earlier sets are preferred."""
    ranked = [
        frame.with_columns(pl.lit(rank, dtype=pl.Int32).alias("_rank"))
        for rank, frame in enumerate(tables.values())
    ]
    rows = pl.concat(ranked).with_columns(
        pl.lit(None, dtype=pl.String).alias("rule"), pl.lit(None, dtype=pl.String).alias("detail")
    )
    frame = rows.collect()
    long = col("n_tokens") > pool.max_tokens
    said = pl.format("{} tokens, over {}", "n_tokens", pl.lit(pool.max_tokens))
    frame = mark(frame, long, "over_long_prompt", said)
    short = col("n_chars") < pool.min_chars
    said = pl.format("{} characters, under {}", "n_chars", pl.lit(pool.min_chars))
    frame = mark(frame, short, "too_short_prompt", said)
    asked = frame.select("prompt_id", col("messages").alias("prompt")).unique("prompt_id")
    found = decontaminate.hits([asked], benchmarks, pool.decontaminate)
    frame = frame.join(found.rename({"detail": "_hit"}), on="prompt_id", how="left")
    frame = mark(frame, col("_hit").is_not_null(), "benchmark", col("_hit")).drop("_hit")
    frame = drop_copies(frame, "prompt_id", "duplicate_prompt")
    frame = frame if pool.near is None else _near(frame, pool.near)
    return _held_out(frame, pool)


def _held_out(frame: pl.DataFrame, pool: Pool) -> pl.DataFrame:
    """Prompts of the training range that ask, in other case or marks, what a held-out one asks."""
    alive = frame.filter(col("rule").is_null())
    own = _is_held_out(pool).alias("held_out")
    asked = alive.select("prompt_id", col("messages").alias("prompt"), own)
    known = held_out.questions(asked.filter("held_out"))
    found = held_out.hits([asked.filter(~col("held_out"))], known).rename({"detail": "_hit"})
    frame = frame.join(found, on="prompt_id", how="left", maintain_order="left")
    return mark(frame, col("_hit").is_not_null(), "held_out", col("_hit")).drop("_hit")


def _is_held_out(pool: Pool) -> pl.Expr:
    low, high = pool.eval_range
    bucket = _bucket(pool)
    return (bucket >= low) & (bucket < high)


def _bucket(pool: Pool) -> pl.Expr:
    """The hash of a prompt in [0, 1), of sets that are held out whole put into that range."""
    low, high = pool.eval_range
    own = ids.unit(col("prompt_id"), pool.split_seed, "bucket")
    whole = col("source").is_in(list(pool.held_out))
    return pl.when(whole).then(low + (high - low) * own).otherwise(own)


def _near(frame: pl.DataFrame, threshold: float) -> pl.DataFrame:
    """Of near prompts the earliest set's stays, there the lowest id."""
    alive = frame.filter(col("rule").is_null()).sort("_rank", "prompt_id")
    texts = alive.select("prompt_id", "source", messages.text(col("messages")).alias("text"))
    return drop_near(frame, texts, threshold)


def kept(decided: pl.DataFrame, pool: Pool) -> pl.DataFrame:
    """The prompts that stay with bucket and split, by prompt_id; a larger pool moves none."""
    split = pl.when(_is_held_out(pool)).then(pl.lit("eval")).otherwise(pl.lit("train"))
    stay = decided.filter(col("rule").is_null()).sort("prompt_id")
    return stay.with_columns(_bucket(pool).alias("bucket"), split.alias("split"))


def rejects(decided: pl.DataFrame) -> pl.DataFrame:
    """The prompts that go, as rejects; item_id is source:prompt_id."""
    payload = pl.struct(schema.PROMPT_SOURCE.names).struct.json_encode()
    return decided.filter(col("rule").is_not_null()).select(
        pl.lit("prompts").alias("stage"),
        pl.concat_str("source", "prompt_id", separator=":").alias("item_id"),
        "source",
        "rule",
        "detail",
        payload.alias("payload"),
    )
