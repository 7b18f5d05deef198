"""A lineage drawn as an SVG: one column per step back, what was used on the left."""

from __future__ import annotations

from xml.sax.saxutils import escape

from curation.audit.lineage import Lineage, Node

BOX, ROW, GAP, CHAR = 190, 46, 56, 26  # width, row height, gap between columns, text length

_COLOURS = {
    "checkpoint": "#0072B2",
    "pairs": "#D55E00",
    "responses": "#E69F00",
    "prompts": "#009E73",
    "mix": "#CC79A7",
    "source": "#777777",
    "judge": "#56B4E9",
}


def draw(lineage: Lineage) -> str:
    """The picture as SVG text; every name is escaped, details are the boxes' tooltips."""
    places = _places(lineage)
    width = max(x for x, _ in places.values()) + BOX + 10
    height = max(y for _, y in places.values()) + ROW
    arrows = [_arrow(places[a], places[b]) for a, b in lineage.edges]
    boxes = [_box(node, *places[node.name]) for node in lineage.nodes]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="sans-serif" font-size="12" role="img" '
        f'aria-label="Lineage of {escape(lineage.checkpoint)}">\n'
        '<rect width="100%" height="100%" fill="white"/>\n'
        + "\n".join([*arrows, *boxes])
        + "\n</svg>\n"
    )


def columns(lineage: Lineage) -> dict[str, int]:
    """Steps back from the checkpoint, by the longest way: every arrow then points one way."""
    steps = {node.name: 0 for node in lineage.nodes}
    for _ in lineage.nodes:
        for used, made in lineage.edges:
            steps[used] = max(steps[used], steps[made] + 1)
    return steps


def _places(lineage: Lineage) -> dict[str, tuple[int, int]]:
    """Top left corners: the farthest ancestors in the leftmost column."""
    steps = columns(lineage)
    last = max(steps.values())
    used: dict[int, int] = {}
    places = {}
    for node in lineage.nodes:
        step = steps[node.name]
        row = used.get(step, 0)
        used[step] = row + 1
        places[node.name] = (10 + (last - step) * (BOX + GAP), 10 + row * ROW)
    return places


def _arrow(start: tuple[int, int], end: tuple[int, int]) -> str:
    x1, y1 = start[0] + BOX, start[1] + 15
    x2, y2 = end[0], end[1] + 15
    bend = max(abs(x2 - x1) // 2, 30)
    return (
        f'<path d="M{x1},{y1} C{x1 + bend},{y1} {x2 - bend},{y2} {x2},{y2}" fill="none" '
        'stroke="#888888" stroke-width="1.2"/>'
    )


def _box(node: Node, x: int, y: int) -> str:
    name = node.name if len(node.name) <= CHAR else node.name[: CHAR - 1] + "…"
    colour = _COLOURS[node.kind]
    return (
        f"<g><title>{escape(node.name)}: {escape(node.detail)}</title>"
        f'<rect x="{x}" y="{y}" width="{BOX}" height="30" rx="6" fill="white" stroke="{colour}" '
        f'stroke-width="1.6"/>'
        f'<text x="{x + 10}" y="{y + 20}" fill="#111111">{escape(name)}</text></g>'
    )
