"""Length bias of a judge: how reward moves with length within a prompt.

The paper's study (section 3.2, figure 3): Pearson of length and reward per prompt over 8 responses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from training.core import statistics
from training.core.statistics import Floats

BINS = 20


def study(
    rewards: Sequence[float], chars: Sequence[int], prompts: Sequence[str], seed: int
) -> dict[str, Any]:
    """Correlations, slope and heat map of reward against length.

    Args:
        rewards: finite raw rewards.
        chars: lengths of the responses, in characters.
        prompts: prompt ids, the groups.
        seed: of the bootstrap over prompts.

    Returns:
        Mean within-prompt Pearson and Spearman with 95% intervals, the between-prompt Pearson of
        the prompts' means, the reward per 100 characters within prompts (least squares with one
        intercept per prompt), how often the best response is longer than the worst, a heat map.
    """
    reward = np.asarray(rewards, dtype=np.float64)
    length = np.asarray(chars, dtype=np.float64)
    found = groups(prompts)
    within = [statistics.pearson(length[g], reward[g]) for g in found]
    by_rank = [statistics.spearman(length[g], reward[g]) for g in found]
    return {
        "prompts": len(found),
        "responses": len(reward),
        "pearson": _summary(within, seed),
        "spearman": _summary(by_rank, seed),
        "between_prompt_pearson": statistics.pearson(
            statistics.group_means(length, prompts), statistics.group_means(reward, prompts)
        ),
        "reward_per_100_chars": 100.0 * slope(reward, length, prompts),
        "chosen_longer": _best_longer(reward, length, found),
        "heat_map": heat_map(reward, length, prompts),
    }


def slope(reward: Floats, length: Floats, prompts: Sequence[str]) -> float:
    """Least-squares reward per character, with an intercept of its own for every prompt."""
    x, y = centred(length, prompts), centred(reward, prompts)
    return float(x @ y / (x @ x)) if x @ x > 0 else 0.0


def centred(values: Floats, prompts: Sequence[str]) -> Floats:
    """Values less their prompt's mean."""
    _, place = np.unique(np.asarray(prompts), return_inverse=True)
    return values - statistics.group_means(values, prompts)[place]


def heat_map(reward: Floats, length: Floats, prompts: Sequence[str]) -> dict[str, Any]:
    """Counts on a grid of centred length (x, characters) and centred reward (y)."""
    x, y = centred(length, prompts), centred(reward, prompts)
    counts, x_edges, y_edges = np.histogram2d(x, y, bins=BINS)
    # One row of the grid per text, so that the file stays readable.
    return {
        "x": [float(x_edges[0]), float(x_edges[-1])],
        "y": [float(y_edges[0]), float(y_edges[-1])],
        "counts": [" ".join(str(int(count)) for count in row) for row in counts],
    }


def groups(prompts: Sequence[str]) -> list[Any]:
    """Row numbers of each prompt, in the order of the prompts' ids."""
    order = np.argsort(np.asarray(prompts), kind="stable")
    names = np.asarray(prompts)[order]
    starts = np.flatnonzero(np.r_[True, names[1:] != names[:-1]])
    return [np.sort(part) for part in np.split(order, starts[1:])]


def _summary(values: Sequence[float], seed: int) -> dict[str, Any]:
    """Mean and 95% interval over the prompts where the correlation exists."""
    defined = np.asarray([value for value in values if np.isfinite(value)])
    if len(defined) == 0:
        return {"mean": None, "low": None, "high": None, "prompts": 0}
    low, high = statistics.bootstrap(defined, seed)
    return {"mean": float(defined.mean()), "low": low, "high": high, "prompts": len(defined)}


def _best_longer(reward: Floats, length: Floats, groups: Sequence[Any]) -> float:
    """Share of prompts whose best response is longer than the worst; equal lengths count half."""
    verdicts = []
    for group in groups:
        best, worst = group[reward[group].argmax()], group[reward[group].argmin()]
        verdicts.append(0.5 + 0.5 * np.sign(length[best] - length[worst]))
    return float(np.mean(verdicts))
