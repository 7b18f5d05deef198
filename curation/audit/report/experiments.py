"""One page over several builds: the parameters in which they differ and what came of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from curation.audit.report.charts import PALETTE, Caption, Figure, data, figure
from curation.audit.report.page import page_of

_LONGEST = 60  # characters of a parameter's value that are shown


@dataclass(frozen=True)
class Run:
    """One build: its name, kind, commit and time, params, summary, and the page of its report."""

    name: str
    kind: str
    commit: str
    made: str
    params: Mapping[str, Any]
    summary: Mapping[str, Any] | None
    link: str | None
    reason: str = ""


@dataclass(frozen=True)
class Row:
    """One run as a row: the values of the parameters that differ, and the main figures."""

    run: Run
    values: list[str]
    figures: dict[str, Any] | None


def page(runs: Sequence[Run]) -> str:
    """The index as one self-contained page; the runs in the order they are given.

    A policy's oracle reward stands for a run: that of its best policy, with standard error.
    """
    differing = differences([run.params for run in runs])
    rows = [
        Row(run, [_shown(flat(run.params).get(key)) for key in differing], figures(run.summary))
        for run in runs
    ]
    policies = dict.fromkeys(
        name for row in rows if row.figures for name in row.figures["policies"]
    )
    return page_of(
        "experiments.html.j2",
        "Experiments",
        rows=rows,
        differing=differing,
        policies=sorted(policies, key=lambda name: (name != "sft", name == "offline", name)),
        chart=_chart(rows),
    )


def flat(params: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Parameters by dotted key; lists are values."""
    found: dict[str, Any] = {}
    for key, value in params.items():
        if isinstance(value, Mapping) and value:
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found


def differences(params: Sequence[Mapping[str, Any]]) -> list[str]:
    """Dotted keys whose values are not the same in all, sorted; a key that is missing differs."""
    flats = [flat(one) for one in params]
    keys = sorted({key for one in flats for key in one})
    missing = object()
    return [
        key
        for key in keys
        if any(one.get(key, missing) != flats[0].get(key, missing) for one in flats)
    ]


def figures(summary: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The main figures of one report's summary; None where there is no summary."""
    if summary is None:
        return None
    policies = summary.get("policies", {})
    known = {name: row for name, row in policies.items() if row["oracle_reward"] is not None}
    best = max(known, key=lambda name: (known[name]["oracle_reward"], name), default=None)
    pairs = [row["pairs"] or 0 for row in summary.get("iterations", {}).values()]
    return {
        "best": best,
        "reward": known[best]["oracle_reward"] if best else None,
        "se": known[best]["oracle_se"] if best else None,
        "win_rate": known[best]["win_rate"] if best else None,
        "chars": known[best]["chars"] if best else None,
        "pairs": sum(pairs),
        "dropped": summary.get("dropped"),
        "failed": summary.get("gates", {}).get("failed"),
        "policies": {name: row["oracle_reward"] for name, row in policies.items()},
    }


def _chart(rows: Sequence[Row]) -> Figure | None:
    records = [
        {
            "run": row.run.name,
            "reward": row.figures["reward"],
            "low": row.figures["reward"] - (row.figures["se"] or 0.0),
            "high": row.figures["reward"] + (row.figures["se"] or 0.0),
        }
        for row in rows
        if row.figures and row.figures["reward"] is not None
    ]
    if not records:
        return None
    y = alt.Y("run", type="nominal", sort=None, title=None)
    base = alt.Chart(data(records))
    zero = alt.Scale(zero=False)
    title = "oracle reward of the best policy"
    bars = base.mark_rule(strokeWidth=2, color=PALETTE[0]).encode(
        y=y, x=alt.X("low", type="quantitative", scale=zero, title=title), x2="high"
    )
    dots = base.mark_circle(size=90, opacity=1, color=PALETTE[0]).encode(
        y=y, x=alt.X("reward", type="quantitative", scale=zero, title=title)
    )
    chart = (bars + dots).properties(width=300, height=alt.Step(24))
    says = "Best policy of each run, with the standard error over prompts."
    return figure(Caption("experiments", "Oracle reward", says), chart, records)


def _shown(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
