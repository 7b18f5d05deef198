"""What a policy is tested on and must not be trained on: benchmark items and held-out prompts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import polars as pl

from curation.mixing import decontaminate, shingles
from curation.mixing.decontaminate import Settings

col = pl.col
_FOUND = {"prompt_id": pl.String, "detail": pl.String}


@dataclass(frozen=True)
class Unseen:
    """Rows of the benchmark table, and the pool's held-out prompts (result of `held`)."""

    benchmarks: pl.DataFrame
    held_out: pl.DataFrame | None = None

    def hits(
        self, prompts: Callable[[], Iterable[pl.DataFrame]], settings: Settings
    ) -> dict[str, pl.DataFrame]:
        """By rule, the prompts it drops: prompt_id and detail; rules that can't hit are absent.

        Args:
            prompts: Gives the frames (prompt_id, prompt) from the start at each call.
        """
        found = {}
        if not self.benchmarks.is_empty():
            found["benchmark"] = decontaminate.hits(prompts(), self.benchmarks, settings)
        if self.held_out is not None and not self.held_out.is_empty():
            found["held_out"] = hits(prompts(), self.held_out)
        return found


def questions(prompts: pl.DataFrame) -> pl.DataFrame:
    """What each conversation asks, turn by turn: prompt_id, asked (list of its user turns' words).

    Words are without case and marks; a turn of marks alone stays as it is, or all such turns would
    be one.

    Args:
        prompts: prompt_id and prompt (messages).
    """
    turns = prompts.select("prompt_id", "prompt").explode("prompt").unnest("prompt")
    turns = turns.filter(col("role") == "user")
    words = shingles.normalised(turns["content"]).alias("words")
    said = pl.when(col("words") == "").then("content").otherwise("words")
    grouped = turns.with_columns(words).group_by("prompt_id", maintain_order=True)
    return grouped.agg(said.alias("asked"))


def held(pool: pl.DataFrame) -> pl.DataFrame:
    """The held-out prompts of the pool's table, as `questions`."""
    eval_rows = pool.filter(col("split") == "eval").sort("prompt_id")
    return questions(eval_rows.select("prompt_id", col("messages").alias("prompt")))


def hits(prompts: Iterable[pl.DataFrame], known: pl.DataFrame) -> pl.DataFrame:
    """One row per prompt that a policy may be tested on: prompt_id, detail.

    A conversation counts when its first user turns are those of a held-out prompt, whatever was
    answered between them.

    Args:
        prompts: Frames with prompt_id and prompt (messages), each prompt once per frame.
        known: Result of `held`.
    """
    keys = known.select(
        col("prompt_id").alias("_id"),
        col("asked").list.first().alias("_first"),
        col("asked").alias("_asked"),
    )
    found = [pl.DataFrame(schema=_FOUND), *(_among(frame, keys) for frame in prompts)]
    return pl.concat(found).unique("prompt_id", keep="first", maintain_order=True)


def _among(frame: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    asked = questions(frame).with_columns(col("asked").list.first().alias("_first"))
    suspects = asked.join(keys, on="_first", maintain_order="left_right")
    same = col("asked").list.head(col("_asked").list.len()) == col("_asked")
    said = pl.format("asks held-out prompt {} of the pool", "_id").alias("detail")
    return suspects.filter(same).select("prompt_id", said)
