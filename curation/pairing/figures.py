"""The figures of one pairing: yield, margins, rewards, ties, and reward against length.

A table larger than memory is paired part by part, so each part leaves a `Tally` of a few numbers
per prompt, and the figures are those of all tallies together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from curation.length_stats import Floats, Groups, Moments, mean_pearson
from curation.pairing.choose import Choice
from curation.pairing.responses import Responses
from curation.pairing.rules import Rules

_NUMBERS = [
    "prompt_id",
    "margin",
    "chosen_reward",
    "rejected_reward",
    "chosen_chars",
    "rejected_chars",
    "flags",
]


@dataclass(frozen=True)
class Tally:
    """What the figures need of one part.

    Attributes:
        counts: prompts, responses, candidates.
        rules: rule of every reject of the part.
        dropped: rule of every response that may not be paired.
        rewards: count, mean and sum of squared deviations of the usable rewards.
        best: best raw reward of each prompt.
        tied: of each prompt with several responses: all tie, the best ties (as two columns).
        within: moments of reward and length of each prompt.
        pairs: numbers of the pairs, without texts.
    """

    counts: tuple[int, int, int]
    rules: pl.Series
    dropped: pl.Series
    rewards: tuple[int, float, float]
    best: Floats
    tied: Floats
    within: Moments
    pairs: pl.DataFrame


def tally(
    responses: Responses, choice: Choice, pairs: pl.DataFrame, rejects: pl.DataFrame
) -> Tally:
    """The tally of one part."""
    usable, dropped = responses.usable, responses.dropped
    reward = usable["reward"].to_numpy()
    mean = float(reward.mean()) if reward.size else 0.0
    best, _ = _extremes(choice.groups, reward)
    return Tally(
        counts=(choice.prompts.len(), usable.height + dropped.height, choice.candidates.height),
        rules=rejects["rule"],
        dropped=dropped["rule"],
        rewards=(reward.size, mean, float(((reward - mean) ** 2).sum())),
        best=best,
        tied=_tied(choice.groups, choice.adjusted),
        within=choice.within,
        pairs=pairs.select(_NUMBERS),
    )


def figures(tallies: Sequence[Tally], rules: Rules, penalty: float) -> dict[str, Any]:
    """Metrics of the pair stage; correlations are means over prompts, null where undefined."""
    prompts, responses, candidates = np.sum([one.counts for one in tallies], axis=0).tolist()
    pairs = pl.concat([one.pairs for one in tallies])
    dropped = pl.concat([one.rules for one in tallies])
    return {
        "prompts": prompts,
        "responses": responses,
        "candidates": candidates,
        "pairs": pairs.height,
        "rejects": dropped.len(),
        "rules": _counts(dropped),
        "dropped_responses": _counts(pl.concat([one.dropped for one in tallies])),
        "yield": pairs["prompt_id"].n_unique() / prompts,
        "strategy": rules.strategy,
        "length_penalty": penalty,
        "length_unit": rules.length_unit,
        **_rewards(tallies),
        **_lengths(tallies, penalty),
        **_pairs(pairs),
    }


def _counts(names: pl.Series) -> dict[str, int]:
    return dict(names.alias("name").value_counts().sort("name").rows())


def _extremes(groups: Groups, values: Floats) -> tuple[Floats, Floats]:
    """Largest and smallest value of each group."""
    if not groups.counts.size:
        return np.zeros(0), np.zeros(0)
    flat = values[groups.order]
    return np.maximum.reduceat(flat, groups.starts), np.minimum.reduceat(flat, groups.starts)


def _tied(groups: Groups, values: Floats) -> Floats:
    """Of each prompt with several responses, whether all are equal and whether the best is."""
    several = groups.counts >= 2
    if not several.any():
        return np.zeros((0, 2))
    top, bottom = _extremes(groups, values)
    equal = (values[groups.order] == np.repeat(top, groups.counts)).astype(np.int64)
    twice = np.add.reduceat(equal, groups.starts) > 1
    return np.column_stack([top == bottom, twice])[several].astype(np.float64)


def _rewards(tallies: Sequence[Tally]) -> dict[str, float | None]:
    """Mean and deviation over all parts (Chan et al. 1979), best of n, share of ties."""
    sizes, means, squares = np.array([one.rewards for one in tallies]).T
    n = sizes.sum()
    if not n:
        names = ("reward_mean", "reward_std", "best_of_n_mean", "tie_rate", "best_tie_rate")
        return dict.fromkeys(names)
    mean = (sizes * means).sum() / n
    spread = squares.sum() + (sizes * (means - mean) ** 2).sum()
    tied = np.concatenate([one.tied for one in tallies])
    all_tied, best_tied = tied.mean(axis=0).tolist() if len(tied) else (None, None)
    return {
        "reward_mean": float(mean),
        "reward_std": float(np.sqrt(spread / n)),
        "best_of_n_mean": float(np.concatenate([one.best for one in tallies]).mean()),
        "tie_rate": all_tied,
        "best_tie_rate": best_tied,
    }


def _lengths(tallies: Sequence[Tally], penalty: float) -> dict[str, float | None]:
    within = joined([one.within for one in tallies])
    return {
        "length_reward_pearson": mean_pearson(within),
        "length_adjusted_pearson": mean_pearson(within, penalty),
    }


def joined(parts: Sequence[Moments]) -> Moments:
    """The moments of all parts' prompts."""
    names = ("reward", "length", "product")
    return Moments(*(np.concatenate([getattr(one, name) for one in parts]) for name in names))


def _pairs(pairs: pl.DataFrame) -> dict[str, Any]:
    longer = pl.col("chosen_chars") > pl.col("rejected_chars")
    row = pairs.select(
        margin_mean=pl.col("margin").mean(),
        margin_median=pl.col("margin").median(),
        chosen_reward_mean=pl.col("chosen_reward").mean(),
        rejected_reward_mean=pl.col("rejected_reward").mean(),
        chosen_chars_mean=pl.col("chosen_chars").mean(),
        rejected_chars_mean=pl.col("rejected_chars").mean(),
        chosen_longer_rate=longer.mean(),
    )
    marks = pairs["flags"].explode(empty_as_null=False)
    return {**row.row(0, named=True), "flags": _counts(marks)}
