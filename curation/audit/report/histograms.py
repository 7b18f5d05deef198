"""Histograms of one iteration: rewards of its responses, margins and length gaps of its pairs."""

from __future__ import annotations

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
)
from curation.audit.report.measures import Measures


def histograms(found: Measures, iteration: str) -> list[Figure]:
    """The iteration's histograms; one without rows is left out."""
    return [
        *_histogram(
            Caption("rewards", "Rewards", "Responses by reward."),
            [row for row in found.rewards if row["iteration"] == iteration],
            "responses",
        ),
        *_histogram(
            Caption("margins", "Margins", "Pairs by adjusted margin."),
            [row for row in found.margins if row["iteration"] == iteration],
            "pairs",
        ),
        *_histogram(
            Caption("gaps", "Length gaps", "Pairs by characters of chosen less rejected."),
            [row for row in found.gaps if row["iteration"] == iteration],
            "pairs",
        ),
    ]


def _histogram(caption: Caption, rows: Records, counted: str) -> list[Figure]:
    if not rows:
        return []
    names = ("bin_start", "bin_end", counted)
    records = [{name: row[name] for name in names} for row in rows]
    chart = (
        alt.Chart(data(records))
        .mark_bar(color=PALETTE[0])
        .encode(
            x=alt.X("bin_start", type="quantitative", bin="binned", title=None),
            x2="bin_end",
            y=alt.Y(counted, type="quantitative"),
        )
        .properties(width=WIDTH, height=HEIGHT)
    )
    return [figure(caption, chart, records)]
