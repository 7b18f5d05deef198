"""Judged items as rows: of the table of their kind, or of the rejects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from curation.core import ids, messages, schema
from curation.sources.base import Format, Kind, Layout, Options

col = pl.col
CountTokens = Callable[[pl.Expr], pl.Expr]
"""A list-of-strings expression to the number of tokens in each list."""

TABLES = {
    "preference": schema.PREFERENCES,
    "sft": schema.SFT,
    "prompts": schema.PROMPT_SOURCE,
    "benchmark": schema.BENCHMARK,
}


@dataclass(frozen=True)
class Normaliser:
    """A source bound to its files' form: what its rows are standardised with."""

    name: str
    format: Format
    layout: Layout
    options: Options
    annotator: str = "unknown"
    license: str = "unknown"


def with_ids(items: pl.LazyFrame, source: Normaliser) -> pl.LazyFrame:
    """The items with prompt_id and _key, the key of their future row."""
    said = items.with_columns(ids.canonical(col("prompt")).alias("_said"))
    return said.with_columns(
        ids.prompt_digest(col("_said")).alias("prompt_id"), _key(source).alias("_key")
    ).drop("_said")


def _key(source: Normaliser) -> pl.Expr:
    kind = source.format.kind
    if kind == "preference":
        return ids.pair_digest(col("_said"), col("chosen"), col("rejected"))
    if kind == "sft":
        return ids.prompt_id(pl.concat_list(col("prompt"), messages.assistant(col("chosen"))))
    if kind == "prompts":
        return ids.prompt_digest(col("_said"))
    return ids.digest(pl.concat_str(pl.lit(f"{source.name}\x1f"), messages.text(col("prompt"))))


def finish(kept: pl.LazyFrame, source: Normaliser, count: CountTokens | None) -> pl.LazyFrame:
    """The columns of the kind's table."""
    table = TABLES[source.format.kind]
    made = _COLUMNS[source.format.kind](source)
    texts = _COUNTED[source.format.kind]
    for name, text in texts.items():
        made[name] = count(text) if count else pl.lit(None, dtype=pl.Int64)
    common = {
        "source": pl.lit(source.name),
        "source_row": col("source_row"),
        "prompt_id": col("prompt_id"),
        "license": pl.lit(source.license),
        table.key[0]: col("_key"),
    }
    plan: dict[str, pl.Expr] = {**common, **made}
    return kept.select(plan[name].cast(dtype).alias(name) for name, dtype in table.polars.items())


def _preference(source: Normaliser) -> dict[str, pl.Expr]:
    return {
        "prompt": col("prompt"),
        "chosen": messages.assistant(col("chosen")),
        "rejected": messages.assistant(col("rejected")),
        "chosen_score": col("chosen_score"),
        "rejected_score": col("rejected_score"),
        "margin": col("chosen_score") - col("rejected_score"),
        "prompt_chars": messages.chars(col("prompt")),
        "chosen_chars": col("chosen").str.len_chars(),
        "rejected_chars": col("rejected").str.len_chars(),
        "turns": messages.turns(col("prompt")),
        "annotator": pl.lit(source.annotator),
        "chosen_model": col("chosen_model"),
        "rejected_model": col("rejected_model"),
    }


def _sft(_: Normaliser) -> dict[str, pl.Expr]:
    whole = pl.concat_list(col("prompt"), messages.assistant(col("chosen")))
    return {"messages": whole, "n_chars": messages.chars(whole), "turns": messages.turns(whole)}


def _prompt(_: Normaliser) -> dict[str, pl.Expr]:
    return {"messages": col("prompt"), "n_chars": messages.chars(col("prompt"))}


def _benchmark(source: Normaliser) -> dict[str, pl.Expr]:
    return {"benchmark": pl.lit(source.name), "text": messages.text(col("prompt"))}


_COLUMNS: dict[str, Callable[[Normaliser], dict[str, pl.Expr]]] = {
    "preference": _preference,
    "sft": _sft,
    "prompts": _prompt,
    "benchmark": _benchmark,
}
_PROMPT_TEXTS = messages.contents(col("prompt"))
_COUNTED: dict[str, dict[str, pl.Expr]] = {
    "preference": {
        "prompt_tokens": _PROMPT_TEXTS,
        "chosen_tokens": pl.concat_list("chosen"),
        "rejected_tokens": pl.concat_list("rejected"),
    },
    "sft": {"n_tokens": pl.concat_list(_PROMPT_TEXTS, "chosen")},
    "prompts": {"n_tokens": _PROMPT_TEXTS},
    "benchmark": {},
}


def _payload_columns(kind: Kind) -> list[str]:
    texts = {"preference": ["chosen", "rejected"], "sft": ["chosen"]}.get(kind, [])
    scores = ["chosen_score", "rejected_score"] if kind == "preference" else []
    return ["prompt", *texts, *scores]


def reject_rows(dropped: pl.DataFrame, source: Normaliser) -> pl.DataFrame:
    """Dropped items as rejects; what their rules read is part of the payload."""
    own = [name for name in dropped.columns if name.startswith("_") and name not in _INTERNAL]
    payload = pl.struct(*_payload_columns(source.format.kind), *own)
    return dropped.select(
        pl.lit(f"standardize@{source.name}").alias("stage"),
        pl.concat_str(pl.lit(source.name), "source_row", "item", separator=":").alias("item_id"),
        pl.lit(source.name).alias("source"),
        col("_rule").alias("rule"),
        col("_detail").alias("detail"),
        payload.struct.json_encode().alias("payload"),
    )


_INTERNAL = {"_rule", "_detail", "_key", "_place", "_label_known"}


def orphans(native: pl.DataFrame, judged: pl.DataFrame, source: Normaliser) -> pl.DataFrame:
    """Native rows that gave no candidate, as rejects by the rule no_pair."""
    if source.layout.one_to_one:
        return schema.REJECTS.empty()
    used = judged.select(col("source_row").str.split("+").explode()).unique()
    left = native.join(used, on="source_row", how="anti")
    return left.select(
        pl.lit(f"standardize@{source.name}").alias("stage"),
        pl.concat_str(pl.lit(f"{source.name}:"), "source_row", pl.lit(":0")).alias("item_id"),
        pl.lit(source.name).alias("source"),
        pl.lit("no_pair").alias("rule"),
        pl.lit("the native row gives no item: nothing to pair it with").alias("detail"),
        pl.struct(pl.exclude("source_row")).struct.json_encode().alias("payload"),
    )
