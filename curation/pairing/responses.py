"""Generations and scores joined by id: one row per response that may enter a pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from curation.core.errors import UserError
from curation.core.grouped import Groups, group
from curation.pairing.rules import Rules
from curation.pairing.scale import Floats, Jury, scaled

SLIM = ["generation_id", "prompt_id", "n_chars", "n_tokens", "finish_reason"]
SAID = ["response", "token_ids", "template_sha"]
SCORE = ["generation_id", "judge", "reward", "reason"]


@dataclass(frozen=True)
class Responses:
    """Usable responses, the dropped ones, and what is measured of the usable.

    Attributes:
        usable: SLIM columns, row (in the order of the generations) and reward (combined over
            judges), in the order of generation_id.
        dropped: the same, with rule and detail of the responses that may not be paired.
        judged: rewards as [usable rows, judges], on the scale of `Rules.scale`.
        reward: the combined reward of each usable row.
        length: its length in the unit of the rules.
        groups: the usable rows by prompt.
    """

    usable: pl.DataFrame
    dropped: pl.DataFrame
    judged: Floats
    reward: Floats
    length: Floats
    groups: Groups


def load(generations: pl.LazyFrame, scores: pl.LazyFrame, jury: Jury, rules: Rules) -> Responses:
    """Join every response to its scores by id, without reading a text.

    Raises:
        UserError: a reward is NaN or infinite, a score repeats or belongs to no response.
    """
    read = [generations.select(SLIM), scores.select(SCORE)]
    # in one chunk: taking rows out of many takes ten times as long
    said, table = (one.rechunk() for one in pl.collect_all(read, engine="streaming"))
    slim = _sorted(said.with_row_index("row"))
    _check(slim, table)
    columns = [_aligned(slim["generation_id"], table, judge) for judge in jury.names]
    judged = np.column_stack([column["reward"].to_numpy() for column in columns])
    verdict = _verdict(slim, columns, jury.names, rules)
    fine = verdict["rule"].is_null().to_numpy()
    if rules.scale == "rank" and len(jury.names) > 1:
        judged[~fine] = np.nan  # a response that is not paired takes no place in a ranking
    judged = scaled(judged, jury, slim["prompt_id"], rules)
    reward = _combined(judged, [rules.judges.get(judge, 1.0) for judge in jury.names], rules)
    whole = slim.with_columns(reward=pl.Series(reward, dtype=pl.Float64, nan_to_null=True))
    usable, dropped = whole, whole.hstack(verdict).filter(~fine)
    if dropped.height:  # seldom, and copying a million rows takes its time
        usable, judged = whole.filter(fine), judged[fine]
    return _measured(usable, dropped, judged, rules)


def below_finished(responses: Responses, rules: Rules, penalty: float) -> Responses:
    """Leave out cut responses that would be chosen over every finished one of their prompt.

    Args:
        responses: as `load` gives them, on which an automatic penalty is settled.
        rules: the parameters of the pairing; only never_chosen leaves any out.
        penalty: reward per unit of length that is taken off, as `choose` takes it.
    """
    usable = responses.usable
    cut = pl.col("finish_reason") == "length"
    if rules.truncated != "never_chosen" or not (usable["finish_reason"] == "length").any():
        return responses
    value = pl.Series(responses.reward - penalty * responses.length)
    best = pl.col("value").filter(~cut).max().over("prompt_id")
    above = (cut & (pl.col("value") > best)).fill_null(False)
    out = usable.with_columns(value=value).select(out=above)["out"]
    gone = usable.filter(out).with_columns(
        rule=pl.lit("truncated"),
        detail=pl.format("cut at {} tokens, above every finished response", "n_tokens"),
    )
    dropped = pl.concat([responses.dropped, gone]).sort("generation_id")
    return _measured(usable.filter(~out), dropped, responses.judged[~out.to_numpy()], rules)


def _measured(
    usable: pl.DataFrame, dropped: pl.DataFrame, judged: Floats, rules: Rules
) -> Responses:
    length = usable[f"n_{rules.length_unit}"].to_numpy().astype(np.float64)
    groups = group(usable["prompt_id"])
    return Responses(usable, dropped, judged, usable["reward"].to_numpy(), length, groups)


def _sorted(frame: pl.DataFrame) -> pl.DataFrame:
    """By generation_id: sums and ties then never depend on the order of the file."""
    if frame["generation_id"].null_count() or frame["prompt_id"].null_count():
        raise UserError("generations: generation_id and prompt_id may not be null")
    ids = frame["generation_id"]
    ordered = frame if ids.is_sorted() else frame.sort("generation_id")
    ids = ordered["generation_id"]
    twice = (ids == ids.shift(1)).fill_null(False)
    if twice.any():
        raise UserError(f"generations: generation_id {ids.filter(twice)[0]} occurs twice")
    return ordered


def _check(slim: pl.DataFrame, table: pl.DataFrame) -> None:
    infinite = ~table["reward"].is_finite()  # null where the reward is
    if infinite.any():
        odd = table.filter(infinite)
        first = odd.sort("generation_id", "judge").row(0, named=True)
        raise UserError(
            f"scores: {odd.height} rewards are NaN or infinite, first {first['generation_id']} of "
            f"{first['judge']}; a failed judgement must be null with a reason"
        )
    if slim["generation_id"].equals(table["generation_id"]):
        return
    stray = table.join(slim, on="generation_id", how="anti")
    if stray.height:
        raise UserError(
            f"scores: {stray.height} rows judge responses that generations lacks, first "
            f"{stray['generation_id'].sort()[0]}; score these generations again"
        )


def _aligned(ids: pl.Series, table: pl.DataFrame, judge: str) -> pl.DataFrame:
    """One judge's reward, reason and presence in the order of the ids."""
    mine = table["judge"] == judge
    own = table if mine.all() else table.filter(mine)
    own = own.select("generation_id", "reward", "reason", found=True)
    if not own["generation_id"].equals(ids):
        twice = own["generation_id"].is_duplicated()
        if twice.any():
            first = own.filter(twice)["generation_id"].sort()[0]
            raise UserError(f"scores: {judge} judged {first} twice")
        own = ids.to_frame().join(own, on="generation_id", how="left", maintain_order="left")
    return own.select("reward", "reason", pl.col("found").fill_null(False))


def _verdict(
    slim: pl.DataFrame, columns: Sequence[pl.DataFrame], judges: Sequence[str], rules: Rules
) -> pl.DataFrame:
    """Rule and detail of each response that may not be paired; null where it may."""
    parts = []
    for judge, column in zip(judges, columns, strict=True):
        said = pl.concat_str(pl.lit(f"{judge}: "), pl.col("reason").fill_null("no reason given"))
        missing = ~pl.col("found")
        failed = pl.col("reward").is_null()
        parts.append(
            column.select(
                rule=pl.when(missing)
                .then(pl.lit("missing_score"))
                .when(failed)
                .then(pl.lit("failed_score")),
                detail=pl.when(missing)
                .then(pl.lit(f"{judge}: no row in scores"))
                .when(failed)
                .then(said),
            )
        )
    if rules.truncated == "drop":
        cut = pl.col("finish_reason") == "length"
        parts.append(
            slim.select(
                rule=pl.when(cut).then(pl.lit("truncated")),
                detail=pl.when(cut).then(pl.format("stopped at {} tokens", "n_tokens")),
            )
        )
    return pl.select(
        rule=pl.coalesce(*(part["rule"] for part in parts)),
        detail=pl.coalesce(*(part["detail"] for part in parts)),
    )


def _combined(judged: Floats, weights: Sequence[float], rules: Rules) -> Floats:
    """One reward per response; NaN where a judge gave none."""
    if judged.shape[1] == 1:
        return judged[:, 0]
    if rules.combine == "min":
        return np.asarray(judged.min(axis=1))
    share = np.asarray(weights) / sum(weights)
    mean: Floats = judged @ share
    if rules.combine == "mean":
        return mean
    spread = np.sqrt(((judged - mean[:, None]) ** 2) @ share)
    return mean - rules.combine_k * spread
