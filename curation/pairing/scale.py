"""Rewards of several judges on one scale, so that no judge outweighs another by its units.

A judge that answers 1 to 10 varies twenty times as much as one that gives a probability; their mean
is the first judge's. A single judge's rewards stay as they are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curation.core.errors import UserError
from curation.core.ordered import batches
from curation.pairing.rules import Rules

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Unit:
    """Mean and population standard deviation of one judge's rewards in one iteration."""

    mean: float
    std: float


@dataclass(frozen=True)
class Jury:
    """The judges whose rewards are combined, by name, and the unit of each that is standardised."""

    names: Sequence[str]
    units: dict[str, Unit]

    def told(self, rules: Rules) -> dict[str, Any]:
        """For the figures: with the scores table, all that a pair's rewards were made from."""
        how = {"scale": rules.scale, "combine": rules.combine} if len(self.names) > 1 else {}
        judges = {
            name: {
                "weight": rules.judges.get(name, 1.0),
                **(asdict(self.units[name]) if name in self.units else {}),
            }
            for name in self.names
        }
        return {**how, "judges": judges}


def jury(scores: pl.LazyFrame, rules: Rules) -> Jury:
    """The judges, each with its unit over all its finite rewards where rewards are standardised.

    The sums are exact, so they do not depend on the order of the rows.
    Memory: a batch of scores.

    Raises:
        UserError: a named judge is absent, or uncertainty is asked of a single judge.
    """
    judges = _judges(scores, rules)
    standardised = len(judges) > 1 and rules.scale == "standardised"
    return Jury(judges, {judge: _unit(scores, judge) for judge in judges if standardised})


def _judges(scores: pl.LazyFrame, rules: Rules) -> list[str]:
    """The judges whose rewards count, by name."""
    have = scores.select(pl.col("judge").unique()).collect()["judge"].sort().to_list()
    wanted = sorted(rules.judges) or have
    absent = [judge for judge in wanted if judge not in have]
    if absent or not wanted:
        raise UserError(
            f"scores: no row of judge {', '.join(absent) or 'any name'}; "
            f"the table holds {', '.join(have) or 'no rows'} (see pairs.judges)"
        )
    if rules.strategy == "uncertainty" and len(wanted) < 2:
        raise UserError(
            "pairs.strategy: uncertainty needs the scores of at least 2 judges, "
            f"but there is only {wanted[0]}"
        )
    return wanted


def _unit(scores: pl.LazyFrame, judge: str) -> Unit:
    low, high, count = math.inf, -math.inf, 0
    for values in _rewards(scores, judge):
        count += values.size
        low, high = min(low, values.min()), max(high, values.max())
    if not count or low == high:  # a judge that tells nothing apart adds nothing
        return Unit(low if count else 0.0, 0.0)
    mean = math.fsum(x for values in _rewards(scores, judge) for x in values.tolist()) / count
    spread = math.fsum(
        x for values in _rewards(scores, judge) for x in ((values - mean) ** 2).tolist()
    )
    return Unit(mean, math.sqrt(spread / count))


def _rewards(scores: pl.LazyFrame, judge: str) -> Iterator[Floats]:
    own = scores.filter(pl.col("judge") == judge, pl.col("reward").is_finite())
    for rows in batches(own.select("reward")):
        if rows.height:
            yield rows["reward"].to_numpy()


def scaled(judged: Floats, jury: Jury, prompts: pl.Series, rules: Rules) -> Floats:
    """Rewards [responses, judges] on one scale; NaN where a judge gave none.

    Args:
        prompts: prompt_id of each response.
    """
    if judged.shape[1] < 2 or rules.scale == "raw":
        return judged
    if rules.scale == "rank":
        columns = [_ranked(judged[:, place], prompts) for place in range(judged.shape[1])]
    else:
        columns = [
            _standardised(judged[:, place], jury.units[name])
            for place, name in enumerate(jury.names)
        ]
    return np.column_stack(columns)


def _standardised(values: Floats, unit: Unit) -> Floats:
    return (values - unit.mean) / unit.std if unit.std else values * 0.0


def _ranked(values: Floats, prompts: pl.Series) -> Floats:
    """Place within the prompt from 0 (worst) to 1 (best), ties averaged; 0.5 of one alone."""
    frame = pl.DataFrame({"prompt": prompts, "value": values}, nan_to_null=True)
    place, several = pl.col("value").rank("average") - 1, pl.col("value").count() - 1
    share = pl.when(several > 0).then(place / several).when(pl.col("value").is_not_null()).then(0.5)
    return np.asarray(frame.select(share.over("prompt").cast(pl.Float64)).to_series().to_numpy())
