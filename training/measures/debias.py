"""Length-debiased rewards: the residual of reward on length, fitted within prompts.

The paper leaves length bias to a penalty chosen by hand (section 3.2); here the penalty is fitted
on held-out responses so that the mean within-prompt Pearson of reward and length is 0 there.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import optimize

from curation.core.errors import UserError
from training.core import checkpoint, statistics
from training.core.statistics import Floats
from training.measures import length_bias


def fit(rewards: Sequence[float], chars: Sequence[int], prompts: Sequence[str]) -> float:
    """Reward per character to take off, so that the mean within-prompt Pearson becomes 0.

    Args:
        rewards, chars: finite raw rewards and lengths of responses that no training has seen.
        prompts: prompt ids, the groups.

    Raises:
        UserError: no prompt has two responses of different rewards and lengths.
    """
    reward = np.asarray(rewards, dtype=np.float64)
    length = np.asarray(chars, dtype=np.float64)
    groups = [g for g in length_bias.groups(prompts) if np.ptp(length[g]) and np.ptp(reward[g])]
    if not groups:
        raise UserError("no prompt has responses of different lengths and rewards; give n >= 2")

    def mean(slope: float) -> float:
        residual = reward - slope * length
        found = [statistics.pearson(length[g], residual[g]) for g in groups]
        return float(np.nanmean(found))

    # Every prompt's correlation falls from 1 to -1 as the slope grows: the mean crosses 0 once.
    width = float(reward.std() / length.std())
    while mean(-width) < 0 or mean(width) > 0:
        width *= 2
    return float(optimize.brentq(mean, -width, width, xtol=1e-12))


def residual(rewards: Sequence[float], chars: Sequence[int], slope: float) -> Floats:
    """Rewards less the part that length explains."""
    taken: Floats = np.asarray(rewards, dtype=np.float64) - slope * np.asarray(chars)
    return taken


def save(source: Path, slope: float, facts: dict[str, Any], out: Path) -> str:
    """A copy of a reward model whose judge takes `slope` per character off; returns its name.

    The weights stay as they are: the slope is in the card, and in the judge's hash.

    Args:
        facts: where the slope comes from, for the card.
    """
    card = checkpoint.card(source)
    name = f"{card.get('name', f'reward_model/{source.name}')}-debiased"
    with checkpoint.folder(out) as temp:
        shutil.copytree(source, temp, dirs_exist_ok=True)
        told = {**card, "name": name, "length_slope": slope, "length_fit": facts}
        text = json.dumps(told, indent=2, sort_keys=True, ensure_ascii=False)
        (temp / checkpoint.CARD).write_text(text + "\n", "utf-8")
    return name
