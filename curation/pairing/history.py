"""The data a policy is trained on: offline pairs and the pairs of the iterations behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import polars as pl

from curation.core.errors import UserError
from curation.core.ids import unit
from curation.core.schema import HISTORY, REJECTS

OFFLINE = "offline"
_COLUMNS = [name for name in HISTORY.names if name != "weight"]
_TEXTS = ["pair_id", "prompt_id", "origin", "prompt", "chosen", "rejected", "margin"]
_MODELS = ("chosen_model", "rejected_model")
_NONE = {
    column.name: pl.lit(None, dtype=column.dtype)
    for column in HISTORY.columns
    if column.name not in {*_TEXTS, *_MODELS, "weight"}
}  # offline responses are texts: nothing of them was sampled here
_OWN = {name: pl.lit(None, dtype=pl.String) for name in _MODELS}  # the origin says whose they are


@dataclass(frozen=True)
class Keep:
    """Which pairs stay: all, those of the last k iterations, or this iteration's alone.

    Offline pairs are in or out by ``history.offline`` and stay under every ``keep``. ``cap``
    limits the table: this iteration's pairs come first, then the others in hash order. A weight
    is looked up by the pair's origin; origins without one weigh 1.
    """

    keep: Literal["all", "last_k", "none"] = "all"
    last_k: int = 1
    cap: int | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0


@dataclass(frozen=True)
class Grown:
    """The history, what fell out of it, and its figures."""

    history: pl.DataFrame
    rejects: pl.DataFrame
    metrics: dict[str, Any]


def lineage(iteration: str, policies: Mapping[str, str]) -> list[str]:
    """The iteration, the one that trained its policy, and so on back to the SFT policy.

    Args:
        iteration: name of an iteration.
        policies: iteration -> policy it samples from.
    """
    found = [iteration]
    while policies[found[-1]] in policies:
        found.append(policies[found[-1]])
    return found


def offline(mix: pl.LazyFrame, cap: int | None, keep: Keep) -> pl.DataFrame:
    """D_off: the train split of a mix as history rows, at most ``cap`` of them by hash."""
    rows = mix.filter(pl.col("split") == "train").with_columns(origin=pl.lit(OFFLINE), **_NONE)
    return _weighted(_capped(rows.select(_COLUMNS).collect(), cap, keep.seed), keep)


def baseline(preferences: pl.DataFrame, held: pl.DataFrame, cap: int | None, seed: int) -> Grown:
    """The offline baseline's pairs: a ranked set's, at most ``cap`` of them by hash.

    Rules: held_out, history_cap.

    Args:
        preferences: rows of the preferences table.
        held: prompts that ask a held-out prompt, result of `curation.mixing.held_out.hits`.
    """
    draw = unit(pl.col("pair_id"), seed, "offline")
    rows = preferences.join(held, on="prompt_id", how="left").sort(draw, "pair_id")
    rows = rows.with_columns(
        **_NONE,
        origin=pl.lit(OFFLINE),
        rule=pl.when(pl.col("detail").is_not_null()).then(pl.lit("held_out")),
    )
    over = pl.col("rule").is_null() & (pl.col("rule").is_null().cum_sum() > (cap or rows.height))
    judged = rows.with_columns(
        rule=pl.when(over).then(pl.lit("history_cap")).otherwise("rule"),
        detail=pl.when(over).then(pl.lit(f"dpo_offline.pairs is {cap}")).otherwise("detail"),
    )
    kept = _weighted(judged.filter(pl.col("rule").is_null()), Keep())
    dropped = _rejects(judged.filter(pl.col("rule").is_not_null()), "pairs_offline")
    assert kept.height + dropped.height == preferences.height, "a pair was lost"
    return Grown(kept, dropped, figures(kept, dropped))


def grow(
    previous: pl.DataFrame,
    pairs: pl.DataFrame,
    ancestors: Sequence[str],
    keep: Keep,
) -> Grown:
    """Add one iteration's pairs to the history of the policy that made them.

    Rows in = rows kept + rejects, asserted. Rules: outside_history (keep), duplicate_pair (the
    first origin wins), history_cap.

    Args:
        previous: history rows of the policy.
        pairs: rows of the pairs table of the iteration ``ancestors[0]``.
        ancestors: result of `lineage`.
        keep: what stays.

    Raises:
        UserError: the previous history holds an origin outside the lineage.
    """
    current = ancestors[0]
    new = pairs.with_columns(origin=pl.lit(current), **_OWN)
    rows = pl.concat([previous.select(_COLUMNS), new.select(_COLUMNS)])
    _known(rows, ancestors)
    ranked = rows.with_columns(
        age=pl.col("origin").replace_strict(
            [*ancestors, OFFLINE], [*range(len(ancestors)), len(ancestors)], return_dtype=pl.Int64
        )
    )
    judged = _over_cap(_duplicates(_outside(ranked, ancestors, keep)), keep)
    kept = _weighted(judged.filter(pl.col("rule").is_null()), keep)
    dropped = _rejects(judged.filter(pl.col("rule").is_not_null()), f"history@{current}")
    assert kept.height + dropped.height == previous.height + pairs.height, "a pair was lost"
    return Grown(kept, dropped, figures(kept, dropped))


def figures(kept: pl.DataFrame, rejects: pl.DataFrame) -> dict[str, Any]:
    """Pairs by origin and rejects by rule."""
    origins = kept["origin"].value_counts().sort("origin").rows()
    rules = rejects["rule"].value_counts().sort("rule").rows()
    return {
        "rows_in": kept.height + rejects.height,
        "pairs": kept.height,
        "rejects": rejects.height,
        "origins": dict(origins),
        "rules": dict(rules),
        "prompts": kept["prompt_id"].n_unique(),
        "weight_sum": kept.sort("pair_id")["weight"].sum(),
    }


def _known(rows: pl.DataFrame, ancestors: Sequence[str]) -> None:
    odd = rows.filter(~pl.col("origin").is_in([*ancestors, OFFLINE]))["origin"].unique().sort()
    if odd.len():
        raise UserError(
            f"history: holds pairs of {', '.join(odd)}, but {ancestors[0]} descends from "
            f"{', '.join(ancestors[1:]) or 'sft'}; pass the history of its own policy"
        )


def _outside(ranked: pl.DataFrame, ancestors: Sequence[str], keep: Keep) -> pl.DataFrame:
    """Name outside_history what the ``keep`` parameter leaves out."""
    reach = {"all": len(ancestors), "last_k": keep.last_k, "none": 1}[keep.keep]
    out = (pl.col("age") >= reach) & (pl.col("origin") != OFFLINE)
    told = pl.format("history.keep is {}: {} is {} back", pl.lit(keep.keep), "origin", "age")
    return ranked.with_columns(
        rule=pl.when(out).then(pl.lit("outside_history")),
        detail=pl.when(out).then(told),
    )


def _duplicates(judged: pl.DataFrame) -> pl.DataFrame:
    """Name duplicate_pair every further copy of a pair: the earliest origin keeps it."""
    standing = pl.col("rule").is_null()
    first = pl.col("age").filter(standing).max().over("pair_id")
    again = standing & (pl.col("age") < first)
    told = pl.format("also made in an earlier origin, {} before this one", first - pl.col("age"))
    return judged.with_columns(
        rule=pl.when(again).then(pl.lit("duplicate_pair")).otherwise("rule"),
        detail=pl.when(again).then(told).otherwise("detail"),
    )


def _over_cap(judged: pl.DataFrame, keep: Keep) -> pl.DataFrame:
    """Name history_cap what the cap leaves out: the newest stay, older ones by hash."""
    if keep.cap is None:
        return judged
    standing = judged.filter(pl.col("rule").is_null())
    older = pl.col("age") > 0
    order = standing.with_columns(older=older, draw=unit(pl.col("pair_id"), keep.seed, "history"))
    out = order.sort("older", "draw", "pair_id")[keep.cap :].select("pair_id", "origin")
    over = judged.join(out.with_columns(over=True), on=["pair_id", "origin"], how="left")
    hit = pl.col("over") & pl.col("rule").is_null()
    return over.with_columns(
        rule=pl.when(hit).then(pl.lit("history_cap")).otherwise("rule"),
        detail=pl.when(hit).then(pl.lit(f"history.cap is {keep.cap}")).otherwise("detail"),
    ).drop("over")


def _capped(rows: pl.DataFrame, cap: int | None, seed: int) -> pl.DataFrame:
    if cap is None or rows.height <= cap:
        return rows
    draw = rows.with_columns(draw=unit(pl.col("pair_id"), seed, "offline"))
    return draw.sort("draw", "pair_id").head(cap).drop("draw")


def _weighted(rows: pl.DataFrame, keep: Keep) -> pl.DataFrame:
    """As history rows: the weight of each pair's origin."""
    named = list(keep.weights)
    weight = pl.col("origin").replace_strict(
        named, [keep.weights[name] for name in named], default=1.0, return_dtype=pl.Float64
    )
    return rows.with_columns(weight=weight).select(HISTORY.names)


def _rejects(rows: pl.DataFrame, stage: str) -> pl.DataFrame:
    payload = pl.struct(_TEXTS).struct.json_encode()
    item = pl.concat_str("origin", pl.lit(":"), "pair_id")
    return rows.select(
        stage=pl.lit(stage), item_id=item, source="origin", rule="rule", detail="detail",
        payload=payload,
    ).select(REJECTS.names)  # fmt: skip
