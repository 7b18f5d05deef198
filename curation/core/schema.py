"""Every table of the build: its columns, their types, the sentence of its grain, its key.

docs/reference/tables.md, the readers and writers of ``pipelines.core`` and the gates all
come from here, so a column exists exactly when this file says so.
"""

from __future__ import annotations

import polars as pl

from curation.core.columns import (
    IDS,
    LENGTHS,
    LICENSE,
    MESSAGE,
    MESSAGES,
    MODELS,
    PAIR_ID,
    PROMPT_ID,
    SAMPLED,
    SIDES,
    SOURCE,
    SOURCE_ROW,
    Column,
    Table,
    col,
)

__all__ = ["MESSAGE", "MESSAGES", "Column", "Table"]

_PREFERENCE = (
    PAIR_ID,
    PROMPT_ID,
    SOURCE,
    SOURCE_ROW,
    *SIDES,
    col("chosen_score", pl.Float64, "The source's own score of the chosen response.", True),
    col("rejected_score", pl.Float64, "The source's own score of the rejected response.", True),
    col("margin", pl.Float64, "chosen_score - rejected_score; null where no scores exist.", True),
    *LENGTHS,
    col("turns", pl.Int64, "Messages in the prompt that are not system messages."),
    col("annotator", pl.String, "Who labelled the source: human, a model's name, or oracle."),
    LICENSE,
    *MODELS,
)

PREFERENCES = Table("preferences", "One labelled comparison.", ("pair_id",), _PREFERENCE)
MIXES = Table(
    "mixes",
    "One labelled comparison of one preference mix.",
    ("pair_id",),
    (*_PREFERENCE, col("split", pl.String, "train or eval, by hash of the prompt.")),
)
REJECTS = Table(
    "rejects",
    "One dropped item of one stage.",
    ("stage", "item_id"),
    (
        col("stage", pl.String, "The stage that dropped it, such as standardize@hh_rlhf."),
        col("item_id", pl.String, "source:source_row:item for native items, else the row's key."),
        SOURCE,
        col("rule", pl.String, "Name of the rule that dropped it."),
        col("detail", pl.String, "What the rule saw: a value, a threshold, a matching text."),
        col("payload", pl.String, "The dropped item itself, as JSON."),
    ),
)
SFT = Table(
    "sft",
    "One conversation to imitate.",
    ("example_id",),
    (
        col("example_id", pl.String, "Hash of the messages (24 hex digits)."),
        PROMPT_ID,
        SOURCE,
        SOURCE_ROW,
        col("messages", MESSAGES, "The whole conversation; the last message is the assistant's."),
        col("n_chars", pl.Int64, "Characters in all contents."),
        col("n_tokens", pl.Int64, "Tokens in all contents; null when not counted.", True),
        col("turns", pl.Int64, "Messages that are not system messages."),
        LICENSE,
    ),
)
SFT_MIX = Table(
    "sft_mix",
    "One conversation of the SFT mix.",
    ("example_id",),
    (*SFT.columns, col("split", pl.String, "train or eval, by hash of the prompt.")),
)
PROMPT_SOURCE = Table(
    "prompt_source",
    "One prompt of one source.",
    ("prompt_id",),
    (
        PROMPT_ID,
        SOURCE,
        SOURCE_ROW,
        col("messages", MESSAGES, "The prompt: ends with a user message."),
        col("n_chars", pl.Int64, "Characters in the contents."),
        col("n_tokens", pl.Int64, "Tokens in the contents; null when not counted.", True),
        LICENSE,
    ),
)
PROMPTS = Table(
    "prompts",
    "One prompt of the pool.",
    ("prompt_id",),
    (
        *PROMPT_SOURCE.columns,
        col("bucket", pl.Float64, "Place in [0, 1) by hash of prompt_id; slices are ranges of it."),
        col("split", pl.String, "eval inside prompts.eval_range, else train."),
        col("map_x", pl.Float64, "First coordinate of the 2-D map of the pool."),
        col("map_y", pl.Float64, "Second coordinate of the 2-D map of the pool."),
        col("cluster", pl.Int64, "Cluster of the map, 0-based."),
    ),
)
BENCHMARK = Table(
    "benchmark",
    "One benchmark item that training data must not contain.",
    ("item_id",),
    (
        col("item_id", pl.String, "Hash of benchmark and text (24 hex digits)."),
        col("benchmark", pl.String, "Name of the source in params.yaml."),
        SOURCE_ROW,
        col("text", pl.String, "The item's question or prompt."),
    ),
)
GENERATIONS = Table(
    "generations",
    "One sampled response.",
    ("generation_id",),
    (
        col("generation_id", pl.String, "Hash of prompt, policy, sample number, temperature."),
        PROMPT_ID,
        col("sample", pl.Int64, "Sample number of the prompt, 0-based."),
        col("response", pl.String, "The decoded text, without control tokens."),
        col("token_ids", IDS, "The sampled token ids, the end token included."),
        col("n_tokens", pl.Int64, "Length of token_ids."),
        col("n_chars", pl.Int64, "Characters in the response."),
        col("finish_reason", pl.String, "stop or length (truncated)."),
        col("seed", pl.UInt64, "The 64-bit seed of this sample, by hash; null if imported.", True),
        col("temperature", pl.Float64, "Sampling temperature; null if imported unknown.", True),
        col("policy", pl.String, "Name of the policy that wrote it."),
        col("policy_sha", pl.String, "Hash of the policy's weights and tokenizer."),
        col("engine", pl.String, "transformers, vllm, server or imported."),
        col("engine_version", pl.String, "Version of the engine."),
        col("template_sha", pl.String, "Hash of its tokenizer and template; null: imported.", True),
    ),
)
SCORES = Table(
    "scores",
    "One judgement of one response.",
    ("generation_id", "judge"),
    (
        col("generation_id", pl.String, "The response that was judged."),
        col("judge", pl.String, "Name of the judge, such as reward_model/mix2."),
        col("reward", pl.Float64, "The raw reward, higher is better; null when it failed.", True),
        col("reason", pl.String, "Why the reward is null; null when it is not.", True),
        col("judge_sha", pl.String, "Hash of the judge's weights and tokenizer."),
        col("template_sha", pl.String, "Hash of the chat template the judge read through."),
        col("dtype", pl.String, "Number type the judge computed in."),
    ),
)
PARTS = Table(
    "parts",
    "One part of the oracle's verdict on one response, where it gives parts.",
    ("generation_id", "part"),
    (
        col("generation_id", pl.String, "The response that was judged."),
        col("part", pl.String, "What was judged of it, such as format or fact."),
        col("kind", pl.String, "The kind of what its prompt asks: errors are clustered by it."),
        col("value", pl.Float64, "1 where the part is kept, 0 where not, or any grade."),
    ),
)
PAIRS = Table(
    "pairs",
    "One training comparison of one iteration.",
    ("pair_id",),
    (
        PAIR_ID,
        PROMPT_ID,
        col("iteration", pl.String, "Name of the iteration in params.yaml."),
        col("chosen_id", pl.String, "generation_id of the chosen response."),
        col("rejected_id", pl.String, "generation_id of the rejected response."),
        *SIDES,
        col(
            "chosen_reward",
            pl.Float64,
            "Reward of the chosen response: raw, or combined.",
        ),
        col("rejected_reward", pl.Float64, "Reward of the rejected response: raw, or combined."),
        col("chosen_adjusted", pl.Float64, "Reward less the length penalty, chosen."),
        col("rejected_adjusted", pl.Float64, "Reward less the length penalty, rejected."),
        col("margin", pl.Float64, "chosen_adjusted - rejected_adjusted; under 0 if flipped."),
        col("chosen_chars", pl.Int64, "Characters in the chosen response."),
        col("rejected_chars", pl.Int64, "Characters in the rejected response."),
        col("chosen_tokens", pl.Int64, "Tokens in the chosen response."),
        col("rejected_tokens", pl.Int64, "Tokens in the rejected response."),
        col("strategy", pl.String, "Pairing strategy that picked it."),
        col("flags", pl.List(pl.String), "Oddities worth a look, such as truncated_chosen."),
        *SAMPLED,
    ),
)
HISTORY = Table(
    "history",
    "One comparison of the data a policy is trained on.",
    ("pair_id",),
    (
        PAIR_ID,
        PROMPT_ID,
        col("origin", pl.String, "Iteration it was made in, or offline."),
        *SIDES,
        col("margin", pl.Float64, "Adjusted margin, or the source's; may be null offline.", True),
        col("weight", pl.Float64, "Weight of the pair in training."),
        *SAMPLED,
        *MODELS,
    ),
)
REFERENCE = Table(
    "reference",
    "One pair's log-probabilities under the reference policy.",
    ("pair_id", "reference_sha", "template_sha"),
    (
        PAIR_ID,
        col("reference_sha", pl.String, "Hash of the reference's weights and tokenizer."),
        col("template_sha", pl.String, "Hash of the chat template."),
        col("ref_chosen_logps", pl.Float64, "Sum of log-probs of the chosen response's tokens."),
        col("ref_rejected_logps", pl.Float64, "Sum of log-probs of the rejected tokens."),
        col("ref_chosen_shared_logps", pl.Float64, "The same over the shorter side's length."),
        col("ref_rejected_shared_logps", pl.Float64, "The same over the shorter side's length."),
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
        PARTS,
        PAIRS,
        HISTORY,
        REFERENCE,
    )
}
