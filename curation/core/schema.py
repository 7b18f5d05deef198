"""Every table of the build: its columns, their types, the sentence of its grain, its key.

docs/reference/tables.md, the readers and writers of ``pipelines.core`` and the gates all
come from here, so a column exists exactly when this file says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

MESSAGE = pl.Struct({"role": pl.String, "content": pl.String})
MESSAGES = pl.List(MESSAGE)
_IDS = pl.List(pl.Int64)


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


def _col(
    name: str, dtype: pl.DataType | type[pl.DataType], doc: str, nullable: bool = False
) -> Column:
    return Column(name, dtype, doc, nullable)


_PAIR_ID = _col("pair_id", pl.String, "Hash of prompt, chosen and rejected (24 hex digits).")
_PROMPT_ID = _col("prompt_id", pl.String, "Hash of the prompt's messages (24 hex digits).")
_SOURCE = _col("source", pl.String, "Name of the source in params.yaml.")
_SOURCE_ROW = _col("source_row", pl.String, "Hash of the native row it came from.")
_LICENSE = _col("license", pl.String, "Licence of the source, as params.yaml states it.")
_SIDES = (
    _col("prompt", MESSAGES, "The context: all messages before the compared responses."),
    _col("chosen", MESSAGES, "The preferred response: one assistant message."),
    _col("rejected", MESSAGES, "The other response: one assistant message."),
)
_LENGTHS = (
    _col("prompt_chars", pl.Int64, "Characters in the prompt's contents."),
    _col("chosen_chars", pl.Int64, "Characters in the chosen response."),
    _col("rejected_chars", pl.Int64, "Characters in the rejected response."),
    _col(
        "prompt_tokens", pl.Int64, "Tokens in the prompt's contents; null when not counted.", True
    ),
    _col("chosen_tokens", pl.Int64, "Tokens in the chosen response; null when not counted.", True),
    _col(
        "rejected_tokens", pl.Int64, "Tokens in the rejected response; null if not counted.", True
    ),
)
_SAMPLED = (
    _col("chosen_token_ids", _IDS, "What was sampled; null where chosen is not, but text.", True),
    _col("rejected_token_ids", _IDS, "What was sampled; null where rejected is not.", True),
    _col("template_sha", pl.String, "Hash of tokenizer and chat template of the ids.", True),
    _col("chosen_cut", pl.Boolean, "Whether chosen was cut at a limit; null: not known.", True),
    _col("rejected_cut", pl.Boolean, "Whether rejected was cut at a limit.", True),
)
_PREFERENCE = (
    _PAIR_ID,
    _PROMPT_ID,
    _SOURCE,
    _SOURCE_ROW,
    *_SIDES,
    _col("chosen_score", pl.Float64, "The source's own score of the chosen response.", True),
    _col("rejected_score", pl.Float64, "The source's own score of the rejected response.", True),
    _col("margin", pl.Float64, "chosen_score - rejected_score; null where no scores exist.", True),
    *_LENGTHS,
    _col("turns", pl.Int64, "Messages in the prompt that are not system messages."),
    _col("annotator", pl.String, "Who labelled the source: human, a model's name, or oracle."),
    _LICENSE,
)

PREFERENCES = Table("preferences", "One labelled comparison.", ("pair_id",), _PREFERENCE)
MIXES = Table(
    "mixes",
    "One labelled comparison of one preference mix.",
    ("pair_id",),
    (*_PREFERENCE, _col("split", pl.String, "train or eval, by hash of the prompt.")),
)
REJECTS = Table(
    "rejects",
    "One dropped item of one stage.",
    ("stage", "item_id"),
    (
        _col("stage", pl.String, "The stage that dropped it, such as standardize@hh_rlhf."),
        _col("item_id", pl.String, "source:source_row:item for native items, else the row's key."),
        _SOURCE,
        _col("rule", pl.String, "Name of the rule that dropped it."),
        _col("detail", pl.String, "What the rule saw: a value, a threshold, a matching text."),
        _col("payload", pl.String, "The dropped item itself, as JSON."),
    ),
)
SFT = Table(
    "sft",
    "One conversation to imitate.",
    ("example_id",),
    (
        _col("example_id", pl.String, "Hash of the messages (24 hex digits)."),
        _PROMPT_ID,
        _SOURCE,
        _SOURCE_ROW,
        _col("messages", MESSAGES, "The whole conversation; the last message is the assistant's."),
        _col("n_chars", pl.Int64, "Characters in all contents."),
        _col("n_tokens", pl.Int64, "Tokens in all contents; null when not counted.", True),
        _col("turns", pl.Int64, "Messages that are not system messages."),
        _LICENSE,
    ),
)
SFT_MIX = Table(
    "sft_mix",
    "One conversation of the SFT mix.",
    ("example_id",),
    (*SFT.columns, _col("split", pl.String, "train or eval, by hash of the prompt.")),
)
PROMPT_SOURCE = Table(
    "prompt_source",
    "One prompt of one source.",
    ("prompt_id",),
    (
        _PROMPT_ID,
        _SOURCE,
        _SOURCE_ROW,
        _col("messages", MESSAGES, "The prompt: ends with a user message."),
        _col("n_chars", pl.Int64, "Characters in the contents."),
        _col("n_tokens", pl.Int64, "Tokens in the contents; null when not counted.", True),
        _LICENSE,
    ),
)
PROMPTS = Table(
    "prompts",
    "One prompt of the pool.",
    ("prompt_id",),
    (
        *PROMPT_SOURCE.columns,
        _col(
            "bucket", pl.Float64, "Place in [0, 1) by hash of prompt_id; slices are ranges of it."
        ),
        _col("split", pl.String, "eval inside prompts.eval_range, else train."),
        _col("map_x", pl.Float64, "First coordinate of the 2-D map of the pool."),
        _col("map_y", pl.Float64, "Second coordinate of the 2-D map of the pool."),
        _col("cluster", pl.Int64, "Cluster of the map, 0-based."),
    ),
)
BENCHMARK = Table(
    "benchmark",
    "One benchmark item that training data must not contain.",
    ("item_id",),
    (
        _col("item_id", pl.String, "Hash of benchmark and text (24 hex digits)."),
        _col("benchmark", pl.String, "Name of the source in params.yaml."),
        _SOURCE_ROW,
        _col("text", pl.String, "The item's question or prompt."),
    ),
)
GENERATIONS = Table(
    "generations",
    "One sampled response.",
    ("generation_id",),
    (
        _col("generation_id", pl.String, "Hash of prompt, policy, sample number, temperature."),
        _PROMPT_ID,
        _col("sample", pl.Int64, "Sample number of the prompt, 0-based."),
        _col("response", pl.String, "The decoded text, without control tokens."),
        _col("token_ids", _IDS, "The sampled token ids, the end token included."),
        _col("n_tokens", pl.Int64, "Length of token_ids."),
        _col("n_chars", pl.Int64, "Characters in the response."),
        _col("finish_reason", pl.String, "stop or length (truncated)."),
        _col("seed", pl.UInt64, "The 64-bit seed of this sample, by hash; null if imported.", True),
        _col("temperature", pl.Float64, "Sampling temperature; null if imported unknown.", True),
        _col("policy", pl.String, "Name of the policy that wrote it."),
        _col("policy_sha", pl.String, "Hash of the policy's weights and tokenizer."),
        _col("engine", pl.String, "transformers, vllm, server or imported."),
        _col("engine_version", pl.String, "Version of the engine."),
        _col(
            "template_sha", pl.String, "Hash of its tokenizer and template; null: imported.", True
        ),
    ),
)
SCORES = Table(
    "scores",
    "One judgement of one response.",
    ("generation_id", "judge"),
    (
        _col("generation_id", pl.String, "The response that was judged."),
        _col("judge", pl.String, "Name of the judge, such as reward_model/mix2."),
        _col("reward", pl.Float64, "The raw reward, higher is better; null when it failed.", True),
        _col("reason", pl.String, "Why the reward is null; null when it is not.", True),
        _col("judge_sha", pl.String, "Hash of the judge's weights and tokenizer."),
        _col("template_sha", pl.String, "Hash of the chat template the judge read through."),
        _col("dtype", pl.String, "Number type the judge computed in."),
    ),
)
PAIRS = Table(
    "pairs",
    "One training comparison of one iteration.",
    ("pair_id",),
    (
        _PAIR_ID,
        _PROMPT_ID,
        _col("iteration", pl.String, "Name of the iteration in params.yaml."),
        _col("chosen_id", pl.String, "generation_id of the chosen response."),
        _col("rejected_id", pl.String, "generation_id of the rejected response."),
        *_SIDES,
        _col(
            "chosen_reward",
            pl.Float64,
            "Reward of the chosen response: raw, or combined.",
        ),
        _col("rejected_reward", pl.Float64, "Reward of the rejected response: raw, or combined."),
        _col("chosen_adjusted", pl.Float64, "Reward less the length penalty, chosen."),
        _col("rejected_adjusted", pl.Float64, "Reward less the length penalty, rejected."),
        _col("margin", pl.Float64, "chosen_adjusted - rejected_adjusted; under 0 if flipped."),
        _col("chosen_chars", pl.Int64, "Characters in the chosen response."),
        _col("rejected_chars", pl.Int64, "Characters in the rejected response."),
        _col("chosen_tokens", pl.Int64, "Tokens in the chosen response."),
        _col("rejected_tokens", pl.Int64, "Tokens in the rejected response."),
        _col("strategy", pl.String, "Pairing strategy that picked it."),
        _col("flags", pl.List(pl.String), "Oddities worth a look, such as truncated_chosen."),
        *_SAMPLED,
    ),
)
HISTORY = Table(
    "history",
    "One comparison of the data a policy is trained on.",
    ("pair_id",),
    (
        _PAIR_ID,
        _PROMPT_ID,
        _col("origin", pl.String, "Iteration it was made in, or offline."),
        *_SIDES,
        _col("margin", pl.Float64, "Adjusted margin, or the source's; may be null offline.", True),
        _col("weight", pl.Float64, "Weight of the pair in training."),
        *_SAMPLED,
    ),
)
REFERENCE = Table(
    "reference",
    "One pair's log-probabilities under the reference policy.",
    ("pair_id", "reference_sha", "template_sha"),
    (
        _PAIR_ID,
        _col("reference_sha", pl.String, "Hash of the reference's weights and tokenizer."),
        _col("template_sha", pl.String, "Hash of the chat template."),
        _col("ref_chosen_logps", pl.Float64, "Sum of log-probs of the chosen response's tokens."),
        _col("ref_rejected_logps", pl.Float64, "Sum of log-probs of the rejected tokens."),
        _col("ref_chosen_shared_logps", pl.Float64, "The same over the shorter side's length."),
        _col("ref_rejected_shared_logps", pl.Float64, "The same over the shorter side's length."),
    ),
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        PREFERENCES,
        MIXES,
        REJECTS,
        SFT,
        SFT_MIX,
        PROMPT_SOURCE,
        PROMPTS,
        BENCHMARK,
        GENERATIONS,
        SCORES,
        PAIRS,
        HISTORY,
        REFERENCE,
    )
}
