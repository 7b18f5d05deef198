"""Selection without text: penalty, ranking and candidate pairs from rewards and lengths alone."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from curation.pairing.keys import Arrays
from curation.pairing.responses import Responses
from curation.pairing.rules import Rules
from curation.pairing.scale import Floats
from curation.pairing.strategies import select


@dataclass(frozen=True)
class Choice:
    """Candidate pairs and what was measured on the way to them.

    Attributes:
        prompts: how many prompts the generations have.
        lone: prompt_id of those with fewer than two usable responses.
        candidates: prompt_id, place, and for both sides id, row, reward, adjusted, chars, tokens,
            finish; plus margin; in no particular order.
        adjusted: adjusted reward of the usable responses.
    """

    prompts: int
    lone: pl.Series
    candidates: pl.DataFrame
    adjusted: Floats


def choose(responses: Responses, rules: Rules, penalty: float) -> Choice:
    """Pick the candidate pairs of every prompt; reads no text.

    Args:
        responses: of one or all parts of an iteration.
        rules: the parameters of the pairing.
        penalty: reward per unit of length that is taken off (`penalties.resolved`).
    """
    usable = responses.usable
    adjusted = responses.reward - penalty * responses.length
    arrays = Arrays(
        adjusted,
        usable["generation_id"],
        responses.judged,
        rules.seed,
        responses.length,
        (usable["finish_reason"] == "length").to_numpy(),
    )
    picked = select(responses.groups, arrays, rules)
    whole = usable.with_columns(adjusted=pl.Series(adjusted, dtype=pl.Float64))
    chosen, rejected = whole[picked.better], whole[picked.worse]
    frame = pl.concat(
        [chosen.select("prompt_id"), _side(chosen, "chosen"), _side(rejected, "rejected")],
        how="horizontal",
    ).with_columns(
        place=pl.Series(picked.place, dtype=pl.Int64),
        margin=pl.col("chosen_adjusted") - pl.col("rejected_adjusted"),
    )
    prompts, lone = _prompts(responses)
    return Choice(prompts, lone, frame, adjusted)


def _prompts(responses: Responses) -> tuple[int, pl.Series]:
    """How many prompts there are, and those that offer no two usable responses."""
    groups = responses.groups
    several = groups.counts >= 2
    first = groups.order[groups.starts]
    usable, dropped = responses.usable["prompt_id"], responses.dropped["prompt_id"].unique()
    lone = usable[first[~several]]
    if dropped.len():
        others = dropped.filter(~dropped.is_in(usable[first[several]].implode()))
        lone = pl.concat([lone, others]).unique()
    return int(several.sum()) + lone.len(), lone


def _side(rows: pl.DataFrame, side: str) -> pl.DataFrame:
    return rows.select(
        pl.col("generation_id").alias(f"{side}_id"),
        pl.col("row").alias(f"{side}_row"),
        pl.col("reward").alias(f"{side}_reward"),
        pl.col("adjusted").alias(f"{side}_adjusted"),
        pl.col("n_chars").alias(f"{side}_chars"),
        pl.col("n_tokens").alias(f"{side}_tokens"),
        pl.col("finish_reason").alias(f"{side}_finish"),
    )
