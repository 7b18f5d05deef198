"""Prompt sets and benchmarks: rows whose questions are all that is used."""

from __future__ import annotations

import polars as pl

from curation.core import messages
from curation.core.schema import MESSAGES
from curation.sources.base import (
    SAYS,
    SIDES,
    Expand,
    Format,
    Layout,
    Options,
    asked,
    candidates,
    sided,
)
from curation.sources.base import user_or_list as ask

col = pl.col


def _column(name: str) -> Expand:
    def expand(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
        return candidates(native, prompt=asked(native, name))

    return expand


def _text(name: str, column: str) -> Format:
    """A set whose column holds a text, or turns that end with the user's."""
    layouts = (_layout(column, dtype) for dtype in (pl.String(), MESSAGES))
    return Format(name, "prompts", tuple(layouts), frozenset({"column"}))


def _layout(column: str, dtype: pl.DataType) -> Layout:
    return Layout({column: dtype}, _column(column), sides=SIDES)


def _marked(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    return candidates(native, prompt=sided(native, messages.marked(col("prompt"))))


ULTRAFEEDBACK_PROMPTS = _text("ultrafeedback_prompts", "instruction")
HELPSTEER_PROMPTS = Format(
    "helpsteer_prompts",
    "prompts",
    (Layout({"prompt": pl.String}, _marked, sides=SIDES),),
    frozenset({"column"}),
)
DIBT = _text("dibt", "prompt")
ALPACA_EVAL_PROMPTS = _text("alpaca_eval_prompts", "instruction")
PROMPT_COLUMN = _text("prompt_column", "prompt")
PROMPT_MESSAGES = Format(
    "prompt_messages", "prompts", (_layout("messages", MESSAGES),), frozenset({"column"})
)
TEXT_COLUMN = Format(
    "text_column",
    "benchmark",
    (Layout({"text": pl.String}, _column("text")),),
    frozenset({"column"}),
)


def _openorca(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    question = messages.with_system(col("system_prompt"), ask("question"))
    return candidates(native, prompt=question)


OPENORCA = Format(
    "openorca",
    "prompts",
    (Layout({"question": pl.String}, _openorca, {"system_prompt": pl.String}),),
)


def _first_said(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    said = messages.role_names(col("trajectory"), "from", "value")
    return candidates(native, prompt=said.list.head(1))


ULTRAINTERACT_PROMPTS = Format(
    "ultrainteract_prompts",
    "prompts",
    (
        Layout({"instruction": pl.String}, _column("instruction")),
        Layout({"trajectory": SAYS}, _first_said),
    ),
)


def _first_input(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    first = col("conversation").list.first().struct.field("input")
    return candidates(native, prompt=messages.user(first))


_EXCHANGE = pl.Struct({"input": pl.String, "output": pl.String})
CAPYBARA_PROMPTS = Format(
    "capybara_prompts",
    "prompts",
    (Layout({"conversation": pl.List(_EXCHANGE)}, _first_input),),
)


def _turns(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    """One item per turn: a text (MT-Bench) or a struct of content (Arena-Hard)."""
    rows = native.select(
        "source_row", "turns", pl.int_ranges(0, col("turns").list.len()).alias("index")
    ).explode("turns", "index")
    text = col("turns")
    if rows.collect_schema()["turns"] == _TURN:
        text = text.struct.field("content")
    return candidates(
        rows.filter(col("index").is_not_null()),
        item=col("index").cast(pl.String),
        prompt=messages.user(text),
    )


_TURN = pl.Struct({"content": pl.String})


MT_BENCH = Format(
    "mt_bench",
    "benchmark",
    tuple(
        Layout({"turns": pl.List(dtype)}, _turns, one_to_one=False)
        for dtype in (pl.String(), _TURN)
    ),
)
