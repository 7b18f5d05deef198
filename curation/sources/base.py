"""What a normaliser is: the native columns it needs and a function to candidate items.

A candidate item is one comparison, demonstration, prompt or benchmark question before any rule has
looked at it. Columns: source_row, item, prompt (messages), chosen and rejected (texts; null where
the kind has none), chosen_score, rejected_score, and columns that start with "_", which rules read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import polars as pl

from curation.core import messages
from curation.core.errors import UserError
from curation.core.schema import MESSAGES, Column, Table
from curation.core.words import meant

Kind = Literal["preference", "sft", "prompts", "benchmark"]
Options = Mapping[str, Any]
Types = Mapping[str, pl.DataType | type[pl.DataType]]
Expand = Callable[[pl.LazyFrame, Options], pl.LazyFrame]

CANDIDATE: Types = {
    "source_row": pl.String,
    "item": pl.String,
    "prompt": MESSAGES,
    "chosen": pl.String,
    "rejected": pl.String,
    "chosen_score": pl.Float64,
    "rejected_score": pl.Float64,
    "chosen_model": pl.String,
    "rejected_model": pl.String,
    "_other_prompt": MESSAGES,
    "_last_role": pl.String,
    "_priority": pl.Float64,
}
"""Columns of every candidate frame; `_other_prompt` is the rejected side's context where it may
differ from the prompt, `_last_role` the role of the compared turn,
`_priority` says which rows a cap keeps first. A format whose native label may name neither response
adds `_label_known`."""

CHOICES: Mapping[str, tuple[str, ...]] = {"against": ("all", "worst")}
"""The values of options that take one of a few words; other options take any text."""

SAYS: pl.DataType = pl.List(pl.Struct({"from": pl.String, "value": pl.String}))
SIDES: Types = {"system": pl.String, "history": MESSAGES}
"""Columns beside a conversation that belong to it: its system turn and the turns before it."""
MODELS: Types = {"chosen_model": pl.String, "rejected_model": pl.String}
"""Columns that say who wrote the two answers."""
MODEL_COLUMNS = {name: pl.col(name) for name in MODELS}


@dataclass(frozen=True)
class Layout:
    """One published form of a set.

    Attributes:
        required: Columns and types it needs; a row with a null among them is rejected.
        expand: Native rows (with source_row) to candidate items.
        optional: Columns it uses where they exist; absent ones are read as null.
        one_to_one: Each native row gives exactly one candidate.
        sides: More of these, which are no part of a row's identity where they are null.
        pairs_rows: Candidates pair native rows with each other, so all are needed at once.
        loose: Required columns in which a number may stand for its text, as in all optional ones.
    """

    required: Types
    expand: Expand
    optional: Types = field(default_factory=dict)
    sides: Types = field(default_factory=dict)
    one_to_one: bool = True
    pairs_rows: bool = False
    loose: frozenset[str] = frozenset()

    @property
    def columns(self) -> Types:
        """All columns it reads."""
        return {**self.required, **self.optional, **self.sides}

    def table(self, name: str, options: Options) -> Table:
        """The schema of this layout's native.parquet, under the file's own column names."""
        theirs = {ours: given for given, ours in renames(self, options).items()}
        row = Column("source_row", pl.String, "Hash of the native row (24 hex digits), -n if seen.")
        columns = [
            Column(theirs.get(key, key), dtype, "As published.", key not in self.required)
            for key, dtype in self.columns.items()
        ]
        return Table(f"native {name}", "One native row.", ("source_row",), (row, *columns))


@dataclass(frozen=True)
class Format:
    """A normaliser: its name, what its rows are, the forms it reads and the options it takes."""

    name: str
    kind: Kind
    layouts: tuple[Layout, ...]
    options: frozenset[str] = frozenset()

    def check_options(self, options: Options, key: str) -> None:
        """Raise UserError for an option that this format does not take, or a value it can't use."""
        allowed = self.options | {"columns"}
        for name, value in options.items():
            at = f"{key}.options.{name}"
            if name not in allowed:
                raise UserError(
                    f"{at}: format {self.name} has no such option; {meant(name, allowed)}"
                )
            if name == "columns":
                self._check_columns(value, at)
            elif not isinstance(value, str) or not value:
                raise UserError(f"{at}: {value!r} is not a text")
            elif name in CHOICES and value not in CHOICES[name]:
                raise UserError(f"{at}: no choice {value}; {meant(value, CHOICES[name])}")

    def _check_columns(self, given: Any, key: str) -> None:
        """Raise UserError unless this maps columns of this format to columns of the file."""
        known = {name for one in self.layouts for name in one.columns}
        if not isinstance(given, Mapping):
            raise UserError(f"{key}: {given!r} is not a map of known columns to the file's")
        for name, theirs in given.items():
            if name not in known:
                raise UserError(
                    f"{key}.{name}: format {self.name} reads no such column; {meant(name, known)}"
                )
            if not isinstance(theirs, str) or not theirs:
                raise UserError(f"{key}.{name}: {theirs!r} is not the name of a column")


def renames(layout: Layout, options: Options) -> dict[str, str]:
    """Names of the file's columns -> names the layout knows them by.

    ``options.columns`` maps known names to the file's; ``options.column`` renames the only one.
    """
    given = dict(options.get("columns", {}))
    if "column" in options:
        given[next(iter(layout.required))] = options["column"]
    return {theirs: ours for ours, theirs in given.items()}


def sided(native: pl.LazyFrame, conversation: pl.Expr) -> pl.Expr:
    """A conversation behind the history and the system turn that stand in columns beside it.

    Frames without such turns pay nothing. A system turn that is there already, word for word, stays
    alone; another one makes two, which no rule of form lets pass.

    Args:
        native: a frame of native rows in memory.
    """
    have = native.collect_schema().names()
    names = [name for name in SIDES if name in have]
    if not names:
        return conversation
    any_of = [pl.col(name).is_not_null().any() for name in names]
    found = native.select(any_of).collect().row(0, named=True)
    if found.get("history"):
        before = pl.col("history").fill_null([])
        conversation = pl.concat_list(before, conversation)
    if found.get("system"):
        conversation = messages.led_by(pl.col("system"), conversation)
    return conversation


def candidates(frame: pl.LazyFrame, /, **columns: pl.Expr) -> pl.LazyFrame:
    """Candidate items of a native frame from one expression per column; the rest gets defaults."""
    made = {"item": pl.lit("0"), "source_row": pl.col("source_row"), **columns}
    defaults = {name: pl.lit(None, dtype=dtype) for name, dtype in CANDIDATE.items()}
    defaults["_last_role"] = pl.lit("assistant")
    for side in ("chosen", "rejected"):
        if side in made:
            made[side] = made[side].fill_null("")
    plan = {**defaults, **made}
    typed = [
        expression.cast(CANDIDATE[name]).alias(name)
        if name in CANDIDATE
        else expression.alias(name)
        for name, expression in plan.items()
    ]
    return frame.select(typed)


def whole_lists(chosen: pl.Expr, rejected: pl.Expr) -> dict[str, pl.Expr]:
    """Columns of a comparison given as two whole message lists that share all but the last."""
    return {
        "prompt": _before_last(chosen),
        "chosen": _last(chosen, "content"),
        "rejected": _last(rejected, "content"),
        "_other_prompt": _before_last(rejected),
        "_last_role": _odd_one(_last(chosen, "role"), _last(rejected, "role")),
    }


def whole_list(conversation: pl.Expr) -> dict[str, pl.Expr]:
    """Columns of a demonstration given as one message list; the last message is the response."""
    return {
        "prompt": _before_last(conversation),
        "chosen": _last(conversation, "content"),
        "_last_role": _last(conversation, "role"),
    }


def _before_last(conversation: pl.Expr) -> pl.Expr:
    return conversation.list.head((conversation.list.len().cast(pl.Int64) - 1).clip(0))


def _last(conversation: pl.Expr, name: str) -> pl.Expr:
    return conversation.list.last().struct.field(name)


def _odd_one(first: pl.Expr, second: pl.Expr) -> pl.Expr:
    """The role of the two last messages; the one that is not assistant where they differ."""
    return pl.when(first == "assistant").then(second).otherwise(first).fill_null("none")


def ordered(first: pl.Expr, second: pl.Expr, first_wins: pl.Expr) -> dict[str, pl.Expr]:
    """chosen and rejected from two texts and which of them won."""
    return {
        "chosen": pl.when(first_wins).then(first).otherwise(second),
        "rejected": pl.when(first_wins).then(second).otherwise(first),
    }


def with_input(instruction: pl.Expr, extra: pl.Expr) -> pl.Expr:
    """The instruction, and below it the input where there is one."""
    blank = extra.is_null() | (extra.str.strip_chars() == "")
    joined = pl.concat_str(instruction, extra, separator="\n\n")
    return pl.when(blank).then(instruction).otherwise(joined)


def user_or_list(prompt: str) -> pl.Expr:
    """A text column as a message list of one user turn."""
    return messages.user(pl.col(prompt))


def asked(native: pl.LazyFrame, name: str) -> pl.Expr:
    """A prompt behind what stands beside it; the column is a text, or turns that end with it."""
    text = native.collect_schema()[name] == pl.String
    return sided(native, user_or_list(name) if text else pl.col(name))
