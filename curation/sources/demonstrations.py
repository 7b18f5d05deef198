"""SFT sets: conversations and instruction-response rows."""

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
    candidates,
    sided,
    user_or_list,
    whole_list,
    with_input,
)

col = pl.col


def _sharegpt(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    said = messages.role_names(col("conversations"), "from", "value")
    return candidates(native, **whole_list(sided(native, said)))


SHAREGPT = Format(
    "sharegpt", "sft", (Layout({"conversations": SAYS}, _sharegpt, {"id": pl.String}, SIDES),)
)


def _messages(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    said = messages.role_names(col("messages"), "role", "content")
    return candidates(native, **whole_list(sided(native, said)))


MESSAGES_COLUMN = Format(
    "messages", "sft", (Layout({"messages": MESSAGES}, _messages, sides=SIDES),)
)


def _rows(question: str, answer: str, extra: str | None = None) -> Expand:
    """A normaliser of one exchange per row, with an optional input below the instruction."""

    def expand(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
        asked = user_or_list(question)
        if extra is not None:
            asked = messages.user(with_input(col(question), col(extra)))
        return candidates(native, prompt=sided(native, asked), chosen=col(answer))

    return expand


def _exchange(name: str, question: str, answer: str, *more: str) -> Format:
    layout = Layout(
        {question: pl.String, answer: pl.String},
        _rows(question, answer),
        dict.fromkeys(more, pl.String),
        SIDES,
    )
    return Format(name, "sft", (layout,))


def _instructed(name: str, answer: str) -> Format:
    layout = Layout(
        {"instruction": pl.String, answer: pl.String},
        _rows("instruction", answer, "input"),
        {"input": pl.String},
        SIDES,
    )
    return Format(name, "sft", (layout,))


ALPACA = _instructed("alpaca", "output")
GPTEACHER = _instructed("gpteacher", "response")
INSTRUCTION_RESPONSE = _exchange("instruction_response", "instruction", "response")
INSTRUCTION_OUTPUT = _exchange("instruction_output", "instruction", "output")
QUESTION_ANSWER = _exchange("question_answer", "question", "answer")
ULTRAINTERACT_SFT = _exchange(
    "ultrainteract_sft", "instruction", "response", "id", "parent_id", "task", "dataset"
)
