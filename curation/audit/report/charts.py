"""Charts in one style: narrow panels, colours safe for the colour-blind, SVG and records."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import altair as alt
import vl_convert

Records = list[dict[str, Any]]

PALETTE = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#56B4E9",
    "#CC79A7",
    "#8C6D31",
    "#999999",
)
"""Okabe and Ito's colours, the yellow exchanged for a brown that shows on white."""

WIDTH, HEIGHT = 270, 170  # one panel fits a phone of 390 px without shrinking

_ID = re.compile(r'\bid="([^"]+)"')
_UNDRAWN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff"
    r"\ufe00-\ufe0f\ufeff\ufff0-\uffff\U00010000-\U0010ffff]"
)
_CONFIG: dict[str, Any] = {
    "background": None,
    "font": "sans-serif",
    "view": {"stroke": None},
    "axis": {"labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal"},
    "legend": {"labelFontSize": 11, "titleFontSize": 11, "orient": "bottom", "columns": 2},
    "range": {"category": list(PALETTE)},
}


@dataclass(frozen=True)
class Figure:
    """One figure: its file name, title, a sentence that says what it shows, SVG and records."""

    name: str
    title: str
    says: str
    svg: str
    records: Records


@dataclass(frozen=True)
class Caption:
    """What a figure is called and what it says."""

    name: str
    title: str
    says: str


def figure(caption: Caption, chart: alt.TopLevelMixin, records: Records) -> Figure:
    """Draw a chart as an SVG that can stand in a page beside others."""
    spec = drawable(chart.to_dict())
    spec["config"] = _CONFIG
    svg = _own_ids(vl_convert.vegalite_to_svg(spec), caption.name)
    return Figure(caption.name, caption.title, caption.says, svg, records)


def drawable(value: Any) -> Any:
    """A value with the texts in it as the renderer can draw them, keys included.

    A character that XML 1.0 lacks ends the process in it; emoji it has no glyphs for. They and all
    other control characters are written as [U+...].
    """
    if isinstance(value, str):
        return _UNDRAWN.sub(lambda found: f"[U+{ord(found[0]):04X}]", value)
    if isinstance(value, dict):
        return {drawable(key): drawable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [drawable(item) for item in value]
    return value


def data(records: Records) -> alt.Data:
    """Records as inline chart data."""
    return alt.Data(values=records)


def standalone(svg: str) -> str:
    """The SVG for a file of its own: on white, whatever the viewer's background."""
    head, tag, rest = svg.partition(">")
    return f'{head}{tag}<rect width="100%" height="100%" fill="white"/>{rest}'


def with_bars(records: Records) -> Records:
    """Records of value and perhaps se, with the ends of their standard-error bars."""
    return [
        {
            **record,
            "low": record["value"] - (record.get("se") or 0.0),
            "high": record["value"] + (record.get("se") or 0.0),
        }
        for record in records
    ]


def _own_ids(svg: str, name: str) -> str:
    """Ids renamed to the figure's name and a count from 0.

    Two figures in one page must not share ids, and the renderer counts its own on and on over
    all the figures a process draws, which would make the bytes depend on what came before.
    """
    fresh = {old: f"{name}-{at}" for at, old in enumerate(dict.fromkeys(_ID.findall(svg)))}
    svg = _ID.sub(lambda found: f'id="{fresh[found[1]]}"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", lambda found: f"url(#{fresh[found[1]]})", svg)
    return re.sub(r'href="#([^"]+)"', lambda found: f'href="#{fresh[found[1]]}"', svg)
