"""The figures of one pairing: yield, margins, rewards, ties, and reward against length.

A table larger than memory is paired part by part, so each part leaves a `Tally` of sums, and the
figures are those of all tallies together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from curation.core.errors import UserError
from curation.core.grouped import Groups
from curation.pairing.choose import Choice
from curation.pairing.penalties import moments, pearson
from curation.pairing.responses import Responses
from curation.pairing.rules import Rules
from curation.pairing.scale import Floats

_MEANS = ("chosen_reward", "rejected_reward", "chosen_chars", "rejected_chars")


@dataclass(frozen=True)
class Tally:
    """What the figures need of one part; a sum is a total with the number of its terms.

    Attributes:
        counts: prompts, prompts with a pair, responses, candidates, pairs.
        rules: rejects by rule.
        dropped: responses that may not be paired, by rule.
        flags: pairs by flag.
        rewards: count, mean and sum of squared deviations of the usable rewards.
        sums: best raw reward of a prompt, whether all its responses tie and whether its best do,
            its Pearson of reward and length, raw and adjusted; of the pairs, _MEANS, longer, cut.
        margins: margin of each pair.
    """

    counts: tuple[int, int, int, int, int]
    rules: Counter[str]
    dropped: Counter[str]
    flags: Counter[str]
    rewards: tuple[int, float, float]
    sums: dict[str, tuple[float, int]]
    margins: pl.Series


def tally(
    responses: Responses,
    choice: Choice,
    pairs: pl.DataFrame,
    rejects: pl.DataFrame,
    penalty: float,
) -> Tally:
    """The tally of one part, paired with this length penalty."""
    usable, dropped = responses.usable, responses.dropped
    counts = (
        choice.prompts,
        pairs["prompt_id"].n_unique(),
        usable.height + dropped.height,
        choice.candidates.height,
        pairs.height,
    )
    reward = responses.reward
    mean = float(reward.mean()) if reward.size else 0.0
    return Tally(
        counts=counts,
        rules=_counts(rejects["rule"]),
        dropped=_counts(dropped["rule"]),
        flags=_counts(pairs["flags"].explode(empty_as_null=False)),
        rewards=(reward.size, mean, float(((reward - mean) ** 2).sum())),
        sums={**_pair_sums(pairs), **_prompt_sums(responses, choice.adjusted, penalty)},
        margins=pairs["margin"],
    )


def _prompt_sums(
    responses: Responses, adjusted: Floats, penalty: float
) -> dict[str, tuple[float, int]]:
    groups = responses.groups
    best, _, _ = _tops(groups, responses.reward)
    top, bottom, times = _tops(groups, adjusted)[:, groups.counts >= 2]
    within = moments(groups, responses.reward, responses.length)
    raw, less = pearson(within), pearson(within, penalty)
    columns = {"best": best, "tied": top == bottom, "best_tied": times > 1}
    columns |= {"pearson": raw[~np.isnan(raw)], "adjusted": less[~np.isnan(less)]}
    return {name: (float(values.sum()), values.size) for name, values in columns.items()}


def _pair_sums(pairs: pl.DataFrame) -> dict[str, tuple[float, int]]:
    longer = (pl.col("chosen_chars") > pl.col("rejected_chars")).alias("longer")
    cut = (pl.col("chosen_cut") | pl.col("rejected_cut")).alias("cut")
    row = pairs.select(pl.col(_MEANS).sum(), longer.sum(), cut.sum()).row(0, named=True)
    return {name: (value, pairs.height) for name, value in row.items()}


def figures(
    tallies: Sequence[Tally], rules: Rules, penalty: float, iteration: str
) -> dict[str, Any]:
    """Metrics of the pair stage; correlations are means over prompts, null where undefined.

    Raises:
        UserError: no pair is left; the message counts the rejects by rule.
    """
    counts = np.sum([one.counts for one in tallies], axis=0).tolist()
    prompts, paired, responses, candidates, pairs = counts
    dropped = _together([one.rules for one in tallies])
    if not pairs:
        told = ", ".join(f"{rule} {count}" for rule, count in dropped.items())
        raise UserError(
            f"{iteration}: no pair is left; dropped by rule: {told or 'nothing'}; "
            "see pairs.* in params.yaml"
        )
    return {
        "prompts": prompts,
        "responses": responses,
        "candidates": candidates,
        "pairs": pairs,
        "rejects": sum(dropped.values()),
        "rules": dropped,
        "dropped_responses": _together([one.dropped for one in tallies]),
        "yield": paired / prompts,
        "strategy": rules.strategy,
        "length_penalty": penalty,
        "length_unit": rules.length_unit,
        **_rewards(tallies),
        "length_reward_pearson": _mean(tallies, "pearson"),
        "length_adjusted_pearson": _mean(tallies, "adjusted"),
        **_pairs(tallies),
    }


def _counts(names: pl.Series) -> Counter[str]:
    return Counter(dict(names.alias("name").value_counts().rows()))


def _together(counts: Sequence[Counter[str]]) -> dict[str, int]:
    return dict(sorted(sum(counts, Counter[str]()).items()))


def _mean(tallies: Sequence[Tally], name: str) -> float | None:
    """A sum of all parts over the number of its terms; None where there are none."""
    totals, sizes = zip(*(one.sums[name] for one in tallies), strict=True)
    return sum(totals) / sum(sizes) if sum(sizes) else None


def _tops(groups: Groups, values: Floats) -> Floats:
    """Of each group the largest value, the smallest, and how often the largest occurs."""
    found = np.zeros((3, groups.counts.size))
    for which, rows in groups.blocks():
        some = values[np.ascontiguousarray(rows.T)]
        top = some.max(axis=0)
        found[:, which] = top, some.min(axis=0), (some == top).sum(axis=0)
    return found


def _rewards(tallies: Sequence[Tally]) -> dict[str, float | None]:
    """Mean and deviation over all parts (Chan et al. 1979), best of n, share of ties."""
    sizes, means, squares = np.array([one.rewards for one in tallies]).T
    n = sizes.sum()
    if not n:
        names = ("reward_mean", "reward_std", "best_of_n_mean", "tie_rate", "best_tie_rate")
        return dict.fromkeys(names)
    mean = (sizes * means).sum() / n
    spread = squares.sum() + (sizes * (means - mean) ** 2).sum()
    return {
        "reward_mean": float(mean),
        "reward_std": float(np.sqrt(spread / n)),
        "best_of_n_mean": _mean(tallies, "best"),
        "tie_rate": _mean(tallies, "tied"),
        "best_tie_rate": _mean(tallies, "best_tied"),
    }


def _pairs(tallies: Sequence[Tally]) -> dict[str, Any]:
    margins = pl.concat([one.margins for one in tallies])
    return {
        "margin_mean": margins.mean(),
        "margin_median": margins.median(),
        **{f"{name}_mean": _mean(tallies, name) for name in _MEANS},
        "chosen_longer_rate": _mean(tallies, "longer"),
        "cut_rate": _mean(tallies, "cut"),
        "flags": _together([one.flags for one in tallies]),
    }
