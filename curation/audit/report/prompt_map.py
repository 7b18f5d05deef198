"""The figure of the prompt pool on its 2-D map."""

from __future__ import annotations

import altair as alt

from curation.audit.report.charts import WIDTH, Caption, Figure, Records, data, figure


def prompt_map(points: Records) -> list[Figure]:
    """Prompts on the map, coloured by source; nothing when there is no pool."""
    if not points:
        return []
    records = [{**row, "x": round(row["x"], 3), "y": round(row["y"], 3)} for row in points]
    chart = (
        alt.Chart(data(records))
        .mark_point(filled=True, size=12, opacity=0.7)
        .encode(
            x=alt.X("x", type="quantitative", axis=None).scale(zero=False),
            y=alt.Y("y", type="quantitative", axis=None).scale(zero=False),
            color=alt.Color("source", type="nominal", title=None),
        )
        .properties(width=WIDTH + 40, height=WIDTH)
    )
    says = f"{len(points):,} prompts of the pool, coloured by source; near ones read alike."
    return [figure(Caption("prompt_map", "Map of the prompt pool", says), chart, records)]
