"""What a table is: columns with types and meanings, a grain, a key; columns that several share."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

MESSAGE = pl.Struct({"role": pl.String, "content": pl.String})
MESSAGES = pl.List(MESSAGE)
IDS = pl.List(pl.Int64)


@dataclass(frozen=True)
class Column:
    """One column: name, Polars type, what it means, and whether it may be null."""

    name: str
    dtype: pl.DataType | type[pl.DataType]
    doc: str
    nullable: bool = False


@dataclass(frozen=True)
class Table:
    """One table: name, the sentence of its grain, key columns and all columns in order."""

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """Column names in stored order."""
        return [column.name for column in self.columns]

    @property
    def polars(self) -> pl.Schema:
        """The table's Polars schema."""
        return pl.Schema({column.name: column.dtype for column in self.columns})

    @property
    def required(self) -> list[str]:
        """Columns that may not be null."""
        return [column.name for column in self.columns if not column.nullable]

    def empty(self) -> pl.DataFrame:
        """A frame of this table with no rows."""
        return pl.DataFrame(schema=self.polars)


def col(
    name: str, dtype: pl.DataType | type[pl.DataType], doc: str, nullable: bool = False
) -> Column:
    """A column; it may be null where the last argument says so."""
    return Column(name, dtype, doc, nullable)


PAIR_ID = col("pair_id", pl.String, "Hash of prompt, chosen and rejected (24 hex digits).")
PROMPT_ID = col("prompt_id", pl.String, "Hash of the prompt's messages (24 hex digits).")
SOURCE = col("source", pl.String, "Name of the source in params.yaml.")
SOURCE_ROW = col("source_row", pl.String, "Hash of the native row it came from.")
LICENSE = col("license", pl.String, "Licence of the source, as params.yaml states it.")
MODELS = (
    col("chosen_model", pl.String, "Who wrote chosen, as the source has it; null: not said.", True),
    col("rejected_model", pl.String, "Who wrote rejected, as the source has it.", True),
)
SIDES = (
    col("prompt", MESSAGES, "The context: all messages before the compared responses."),
    col("chosen", MESSAGES, "The preferred response: one assistant message."),
    col("rejected", MESSAGES, "The other response: one assistant message."),
)
LENGTHS = (
    col("prompt_chars", pl.Int64, "Characters in the prompt's contents."),
    col("chosen_chars", pl.Int64, "Characters in the chosen response."),
    col("rejected_chars", pl.Int64, "Characters in the rejected response."),
    col("prompt_tokens", pl.Int64, "Tokens in the prompt's contents; null when not counted.", True),
    col("chosen_tokens", pl.Int64, "Tokens in the chosen response; null when not counted.", True),
    col("rejected_tokens", pl.Int64, "Tokens in the rejected response; null if not counted.", True),
)
SAMPLED = (
    col("chosen_token_ids", IDS, "What was sampled; null where chosen is not, but text.", True),
    col("rejected_token_ids", IDS, "What was sampled; null where rejected is not.", True),
    col("template_sha", pl.String, "Hash of tokenizer and chat template of the ids.", True),
    col("chosen_cut", pl.Boolean, "Whether chosen was cut at a limit; null: not known.", True),
    col("rejected_cut", pl.Boolean, "Whether rejected was cut at a limit.", True),
)
