"""The figure of what standardize dropped, by source and rule."""

from __future__ import annotations

from collections import Counter

import altair as alt

from curation.audit.report.charts import PALETTE, WIDTH, Caption, Figure, Records, data, figure

_TOP = len(PALETTE) - 1  # one colour for each of the largest rules; the rest share the last
_REST = "other rules"


def drops(waterfall: Records) -> list[Figure]:
    """Stacked shares of each source's items by rule; nothing when nothing was dropped."""
    rows = [
        row
        for row in waterfall
        if row["stage"].startswith("standardize@") and row["rule"] and row["entered"]
    ]
    if not rows:
        return []
    top = _largest(rows)
    records = _merged(rows, top)
    legend = [*top, *([_REST] if any(row["rule"] == _REST for row in records) else [])]
    colours = alt.Scale(domain=legend, range=list(PALETTE[: len(legend)]))
    chart = (
        alt.Chart(data(records))
        .mark_bar()
        .encode(
            y=alt.Y("source", type="nominal", title=None),
            x=alt.X("share", type="quantitative", title="share dropped").axis(
                format="%", tickCount=5
            ),
            color=alt.Color("rule", type="nominal", title=None, scale=colours),
            order=alt.Order("rank", type="quantitative"),
        )
        .properties(width=WIDTH + 60, height=18 * len({row["source"] for row in records}))
    )
    says = "Share of each source's items that standardize dropped, by rule."
    return [figure(Caption("drops", "Dropped by source and rule", says), chart, records)]


def _largest(rows: Records) -> list[str]:
    """The rules that dropped most in all, largest first."""
    totals: Counter[str] = Counter()
    for row in rows:
        totals[row["rule"]] += row["dropped"]
    ranked = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
    return [rule for rule, _ in ranked[:_TOP]]


def _merged(rows: Records, top: list[str]) -> Records:
    """Dropped shares by source and rule, the rules outside the top ones added up."""
    ranks = {rule: rank for rank, rule in enumerate([*top, _REST])}
    sums: dict[tuple[str, str], float] = {}
    for row in rows:
        key = (row["source"], row["rule"] if row["rule"] in ranks else _REST)
        sums[key] = sums.get(key, 0.0) + row["dropped"] / row["entered"]
    return [
        {"source": source, "rule": rule, "share": round(share, 6), "rank": ranks[rule]}
        for (source, rule), share in sorted(sums.items())
    ]
