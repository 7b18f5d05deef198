"""Figures of the length-bias study: heat map per reward model, correlations side by side."""

from __future__ import annotations

import altair as alt

from curation.audit.report.charts import HEIGHT, WIDTH, Caption, Figure, Records, data, figure

_SIDE = 210


def heatmaps(cells: Records) -> list[Figure]:
    """One heat map per mix: responses by rank of length and rank of reward in their prompt."""
    return [
        _heatmap(mix, [row for row in cells if row["mix"] == mix])
        for mix in sorted({row["mix"] for row in cells})
    ]


def _heatmap(mix: str, cells: Records) -> Figure:
    names = ("length_bin", "reward_bin", "responses")
    records = [{name: row[name] for name in names} for row in cells]
    bare = alt.Axis(labels=False, ticks=False)
    chart = (
        alt.Chart(data(records))
        .mark_rect()
        .encode(
            x=alt.X("length_bin", type="ordinal", title="length: short to long", axis=bare),
            y=alt.Y(
                "reward_bin",
                type="ordinal",
                title="reward: low to high",
                sort="descending",
                axis=bare,
            ),
            color=alt.Color("responses", type="quantitative", scale=alt.Scale(scheme="viridis")),
        )
        .properties(width=_SIDE, height=_SIDE)
    )
    says = "Responses by rank of length and of reward within their prompt; a diagonal is bias."
    return figure(Caption(f"length_bias_{mix}", f"Length and reward, {mix}", says), chart, records)


def histogram(bins: Records) -> list[Figure]:
    """Prompts by their correlation of length and reward, one outline per mix."""
    if not bins:
        return []
    mixes = sorted({row["mix"] for row in bins})
    found = {(row["mix"], round(10 * row["bin_start"])): row["prompts"] for row in bins}
    records = [
        {"mix": mix, "from": round(at / 10, 1), "prompts": found.get((mix, at), 0)}
        for mix in mixes
        for at in range(-10, 11)
    ]
    chart = (
        alt.Chart(data(records))
        .mark_area(interpolate="step-after", line={"strokeWidth": 2}, fillOpacity=0.15)
        .encode(
            x=alt.X("from", type="quantitative", title="Pearson of length and reward").scale(
                domain=[-1, 1]
            ),
            y=alt.Y("prompts", type="quantitative", stack=None),
            color=alt.Color("mix", type="nominal", title=None),
        )
        .properties(width=WIDTH, height=HEIGHT)
    )
    says = "Prompts by their correlation of length and reward, for each reward model."
    caption = Caption("length_bias_histogram", "Correlation within prompts", says)
    return [figure(caption, chart, records)]
