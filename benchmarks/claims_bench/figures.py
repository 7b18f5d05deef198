"""One SVG per claim: every seed's effect, their mean and its interval, and the bound."""

from __future__ import annotations

from pathlib import Path

import altair as alt

from benchmarks.claims_bench.claims import Claim
from benchmarks.claims_bench.verdicts import Measured

SEED, MEAN = "#56B4E9", "#0072B2"


def draw(claim: Claim, measured: list[Measured], seeds: list[int], path: Path) -> None:
    """One panel for each part: zero (or minus the margin) is the broken line."""
    panels = [
        _panel(part.says, one, seeds) for part, one in zip(claim.parts, measured, strict=True)
    ]
    chart = alt.vconcat(*panels, spacing=8).properties(
        title=alt.TitleParams(f"{claim.name}: {len(seeds)} seeds", anchor="start", fontSize=13)
    )
    chart = chart.configure(background="white", font="sans-serif").configure_view(stroke=None)
    path.parent.mkdir(parents=True, exist_ok=True)
    chart.save(str(path), format="svg")


def _panel(says: str, one: Measured, seeds: list[int]) -> alt.LayerChart:
    rows = [
        {"seed": f"seed {seed}", "effect": effect}
        for seed, effect in zip(seeds, one.effects, strict=True)
        if effect is not None
    ]
    x = alt.X("effect:Q", title=f"{says} ({one.verdict})", scale=alt.Scale(zero=True))
    dots = alt.Chart(alt.Data(values=rows)).mark_circle(size=60, color=SEED, opacity=0.9)
    layers: list[alt.Chart] = [
        dots.encode(x=x, tooltip=["seed:N", "effect:Q"]),
        alt.Chart(alt.Data(values=[{"effect": one.over}]))
        .mark_rule(strokeDash=[4, 3], color="#555")
        .encode(x="effect:Q"),
    ]
    if len(rows) > 1:
        told = [{"effect": one.mean, "low": one.low, "high": one.high}]
        mean = alt.Chart(alt.Data(values=told))
        layers += [
            mean.mark_rule(strokeWidth=2, color=MEAN).encode(x=alt.X("low:Q"), x2="high:Q"),
            mean.mark_tick(thickness=3, size=22, color=MEAN).encode(x="effect:Q"),
        ]
    return alt.layer(*layers).properties(width=420, height=36)
