"""A chart of an answer, or of two pairings, drawn here: the page loads nothing from outside."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import polars as pl

from curation.audit.report.charts import HEIGHT, PALETTE, Caption, Figure, Records, data, figure
from curation.core.errors import UserError

KINDS = ("bar", "line", "point", "histogram")
_WIDTH = 560
_MOST = 12  # colours that can still be told apart


def draw(frame: pl.DataFrame, kind: str, x: str, y: str, colour: str) -> Figure:
    """A chart of an answer's columns; empty names take the first that fit.

    Raises:
        UserError: a column is unknown, or none holds numbers.
    """
    if kind not in KINDS:
        raise UserError(f"chart {kind}: draw one of {', '.join(KINDS)}")
    for name in filter(None, (x, y, colour)):
        if name not in frame.columns:
            raise UserError(f"chart: the answer has no column {name}")
    if kind == "histogram":
        return _histogram(frame, x or _number(frame, ""))
    x = x or next((name for name in frame.columns if name != y), "")
    y = y or _number(frame, x)
    shown = frame.select(list(dict.fromkeys(filter(None, (x, y, colour)))))
    if colour and shown[colour].n_unique() > _MOST:
        raise UserError(f"chart: {colour} has more than {_MOST} values, too many colours to tell")
    return _marks(shown, kind, (x, y, colour))


def _marks(shown: pl.DataFrame, kind: str, names: tuple[str, str, str]) -> Figure:
    x, y, colour = names
    records = _plain(shown)
    across = "quantitative" if shown[x].dtype.is_numeric() and kind != "bar" else "nominal"
    encoding: dict[str, Any] = {
        "x": alt.X(_field(x), type=across, title=x, sort=None),
        "y": alt.Y(_field(y), type="quantitative", title=y),
    }
    if colour:
        encoding["color"] = alt.Color(_field(colour), type="nominal", title=colour)
    base = alt.Chart(data(records))
    marks = {
        "bar": lambda: base.mark_bar(**_own(colour)),
        "line": lambda: base.mark_line(point=True, **_own(colour)),
        "point": lambda: base.mark_circle(size=50, opacity=0.7, **_own(colour)),
    }
    chart = marks[kind]().encode(**encoding).properties(width=_WIDTH, height=260)
    told = f"{y} by {x}" + (f", coloured by {colour}" if colour else "")
    return figure(Caption("answer", told, f"{shown.height:,} rows."), chart, records)


def _own(colour: str) -> dict[str, Any]:
    return {} if colour else {"color": PALETTE[0]}


def _histogram(frame: pl.DataFrame, x: str) -> Figure:
    if not frame[x].dtype.is_numeric():
        raise UserError(f"chart: {x} holds no numbers; a histogram needs some")
    values = frame[x].drop_nulls().to_numpy()
    counts, edges = np.histogram(values[np.isfinite(values)], bins=30)
    records = [
        {"from": float(a), "to": float(b), "rows": int(n)}
        for a, b, n in zip(edges, edges[1:], counts, strict=False)
    ]
    chart = _bars(records, x, "rows").properties(width=_WIDTH, height=260)
    return figure(Caption("answer", f"Rows by {x}", f"{len(values):,} values."), chart, records)


def _bars(records: Records, title: str, counted: str) -> Any:
    return (
        alt.Chart(data(records))
        .mark_bar(color=PALETTE[0])
        .encode(
            x=alt.X("from", type="quantitative", bin="binned", title=title),
            x2="to",
            y=alt.Y(counted, type="quantitative", title=counted),
        )
    )


def beside(caption: Caption, before: pl.Series, after: pl.Series, title: str) -> Figure:
    """Two distributions over the same bins: before as bars, after as a line of steps."""
    both = np.concatenate([before.to_numpy(), after.to_numpy()]).astype(np.float64)
    edges = np.histogram_bin_edges(both, bins=24)
    records = [
        {"from": float(a), "to": float(b), "pairs": int(n), "pairing": name}
        for name, values in (("before", before), ("after", after))
        for a, b, n in zip(edges, edges[1:], np.histogram(values, edges)[0], strict=False)
    ]
    last = float(edges[-1])  # closes the line of steps behind the last bin
    records.append({"from": last, "to": last, "pairs": 0, "pairing": "after"})
    scale = alt.Scale(domain=["before", "after"], range=[PALETTE[4], PALETTE[1]])
    x = alt.X("from", type="quantitative", bin="binned", title=title)
    y = alt.Y("pairs", type="quantitative", stack=None)
    colour = alt.Color("pairing", type="nominal", scale=scale, title=None, sort=None)
    base = alt.Chart(data(records))
    bars = (
        base.transform_filter("datum.pairing == 'before'")
        .mark_bar(opacity=0.75)
        .encode(x=x, x2="to", y=y, color=colour)
    )
    line = (
        base.transform_filter("datum.pairing == 'after'")
        .mark_line(interpolate="step-after", strokeWidth=2.5)
        .encode(x=alt.X("from", type="quantitative"), y=y, color=colour)
    )
    return figure(caption, (bars + line).properties(width=290, height=HEIGHT), records)


def _number(frame: pl.DataFrame, other: str) -> str:
    """The first column of numbers that is not the other one."""
    for name, dtype in frame.schema.items():
        if dtype.is_numeric() and name != other:
            return name
    raise UserError("chart: the answer has no further column of numbers to draw")


def _field(name: str) -> str:
    """A column's name where Vega-Lite reads dots, brackets and colons as its own."""
    return name.translate({ord(char): f"\\{char}" for char in ".[]:\\"})


def _plain(frame: pl.DataFrame) -> Records:
    texts = [name for name, dtype in frame.schema.items() if not dtype.is_numeric()]
    return frame.with_columns(pl.col(name).cast(pl.String) for name in texts).to_dicts()
