"""Figures over policies and iterations: one narrow panel for each measure."""

from __future__ import annotations

from dataclasses import dataclass

import altair as alt

from curation.audit.report.charts import (
    HEIGHT,
    PALETTE,
    WIDTH,
    Caption,
    Figure,
    Records,
    data,
    figure,
    with_bars,
)

_APART = "offline"  # the baseline: a point of its own, not a step of the loop


@dataclass(frozen=True)
class Measure:
    """One column over policies or iterations: its name, its error's, a title, a sentence."""

    key: str
    spread: str | None
    title: str
    says: str


BY_POLICY = (
    Measure("kl", "kl_se", "KL to SFT", "Estimated KL(policy || SFT) per response, in nats"),
    Measure("chars", "chars_se", "Held-out length", "Mean characters on held-out prompts"),
    Measure("win_rate", "win_se", "Win rate against SFT", "Share of held-out prompts won"),
)
BY_ITERATION = (
    Measure("reward", "reward_se", "Reward-model score", "Mean score of the sampled responses"),
    Measure("chars", "chars_se", "Response length", "Mean characters of the sampled responses"),
    Measure("margin", "margin_se", "Pair margin", "Mean adjusted margin of the pairs"),
    Measure("tie_rate", None, "Tie rate", "Share of prompts whose best and worst tie"),
    Measure("pearson", "pearson_se", "Length and reward", "Mean within-prompt Pearson"),
)


def headline(policies: Records, order: list[str]) -> list[Figure]:
    """Oracle reward by policy with standard errors; nothing when no oracle judged."""
    records = _series(policies, "policy", Measure("oracle_reward", "oracle_se", "", ""))
    if not records:
        return []
    base = alt.Chart(data(with_bars(records))).encode(
        y=alt.Y("policy", type="nominal", sort=order, title=None)
    )
    spread = base.mark_rule(strokeWidth=2, color=PALETTE[0]).encode(
        x=alt.X("low", type="quantitative", title="oracle reward"), x2="high"
    )
    points = base.mark_point(filled=True, size=70, opacity=1, color=PALETTE[0]).encode(
        x=alt.X("value", type="quantitative", scale=alt.Scale(zero=False))
    )
    chart = alt.layer(spread, points).properties(width=WIDTH, height=30 * len(records))
    says = "Mean oracle reward on held-out prompts; bars are one standard error."
    return [figure(Caption("policies", "Oracle reward by policy", says), chart, records)]


def over_time(
    rows: Records, axis: str, measures: tuple[Measure, ...], order: list[str]
) -> list[Figure]:
    """One panel per measure; a measure that no row has is left out.

    Args:
        rows: one record per policy or iteration.
        axis: "policy" or "iteration", the column that names them.
        measures: which columns.
        order: names from first to last.
    """
    drawn = []
    for measure in measures:
        records = _series(rows, axis, measure)
        if records:
            caption = Caption(f"{axis}_{measure.key}", measure.title, f"{measure.says}, by {axis}.")
            drawn.append(figure(caption, _panel(with_bars(records), axis, order), records))
    return drawn


def _panel(records: Records, axis: str, order: list[str]) -> alt.LayerChart:
    """Points with standard-error bars, the steps of the loop joined by a line."""
    place = alt.X(axis, type="nominal", sort=order, title=None, axis=alt.Axis(labelAngle=0))
    value = alt.Y("value", type="quantitative", title=None, scale=alt.Scale(zero=False))
    base = alt.Chart(data(records)).encode(x=place)
    joined = [record for record in records if record[axis] != _APART]
    marks = [
        alt.Chart(data(joined)).mark_line(color=PALETTE[0]).encode(x=place, y=value),
        base.mark_rule(color=PALETTE[0]).encode(
            y=alt.Y("low", type="quantitative", title=None), y2="high"
        ),
        base.mark_point(color=PALETTE[0], filled=True, size=45, opacity=1).encode(y=value),
    ]
    return alt.layer(*marks).properties(width=WIDTH, height=HEIGHT)


def _series(rows: Records, axis: str, measure: Measure) -> Records:
    return [
        {
            axis: row[axis],
            "value": row[measure.key],
            **({"se": row[measure.spread]} if measure.spread else {}),
        }
        for row in rows
        if row[measure.key] is not None
    ]
