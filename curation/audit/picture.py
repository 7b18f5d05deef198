"""A lineage drawn as an SVG: one column per step back, what was used on the left."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from xml.sax.saxutils import escape, quoteattr

from curation.audit.lineage import Lineage, Node

BOX, TALL, ROW, GAP, EDGE = 200, 42, 56, 60, 12  # sizes of a box, a row, a gap, the margin
NAME, DETAIL = 26, 34  # characters that fit a box
SWEEPS = 8  # passes that put each box near what it is joined to

_COLOURS = {
    "checkpoint": "#0072B2",
    "pairs": "#D55E00",
    "responses": "#E69F00",
    "prompts": "#009E73",
    "mix": "#CC79A7",
    "source": "#777777",
    "judge": "#56B4E9",
}


@dataclass(frozen=True)
class Slot:
    """A place in a column: a node's box, or the lane of its arrow past boxes between."""

    name: str
    step: int


def draw(lineage: Lineage) -> str:
    """The picture as SVG text; every name is escaped, whole details are the boxes' tooltips."""
    steps = columns(lineage)
    routes = {edge: _route(edge, steps) for edge in lineage.edges}
    rows = _rows([Slot(name, step) for name, step in steps.items()], list(routes.values()))
    last = max(steps.values())
    places = {
        slot: (EDGE + (last - slot.step) * (BOX + GAP), round(EDGE + row * ROW))
        for slot, row in rows.items()
    }
    width = max(x for x, _ in places.values()) + BOX + EDGE
    height = max(y for _, y in places.values()) + TALL + EDGE
    lines = [_arrow([places[slot] for slot in route]) for route in routes.values()]
    boxes = [_box(node, *places[Slot(node.name, steps[node.name])]) for node in lineage.nodes]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="sans-serif" font-size="13" role="img" '
        f"aria-label={quoteattr(f'Lineage of {lineage.checkpoint}')}>\n"
        '<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="#777777"/></marker>'
        '</defs>\n<rect width="100%" height="100%" fill="white"/>\n'
        + "\n".join([*lines, *boxes])
        + "\n</svg>\n"
    )


def columns(lineage: Lineage) -> dict[str, int]:
    """Steps back from the checkpoint, by the longest way: every arrow then points one way."""
    steps = {node.name: 0 for node in lineage.nodes}
    for _ in lineage.nodes:
        for used, made in lineage.edges:
            steps[used] = max(steps[used], steps[made] + 1)
    return steps


def _route(edge: tuple[str, str], steps: dict[str, int]) -> list[Slot]:
    """The slots an arrow passes: arrows from one box share its lanes."""
    used, made = edge
    lanes = [Slot(used, step) for step in range(steps[used], steps[made], -1)]
    return [*lanes, Slot(made, steps[made])]


def _rows(boxes: list[Slot], routes: list[list[Slot]]) -> dict[Slot, float]:
    """The row of every slot: each column is ordered by the mean row of its slots' neighbours."""
    near: dict[Slot, list[Slot]] = {slot: [] for slot in boxes}
    for route in routes:
        for one, other in pairwise(route):
            near.setdefault(one, []).append(other)
            near.setdefault(other, []).append(one)
    by_step: dict[int, list[Slot]] = defaultdict(list)
    for slot in near:
        by_step[slot.step].append(slot)
    rows = {slot: float(row) for slots in by_step.values() for row, slot in enumerate(slots)}
    for turn in range(SWEEPS):
        for step in sorted(by_step, reverse=bool(turn % 2)):
            wanted = {slot: _mean([rows[other] for other in near[slot]]) for slot in by_step[step]}
            rows.update(_apart(wanted))
    top = min(rows.values())
    return {slot: row - top for slot, row in rows.items()}


def _apart(wanted: dict[Slot, float]) -> dict[Slot, float]:
    """Rows at least one apart, in the wanted order and about the wanted middle."""
    ordered = sorted(wanted, key=lambda slot: (wanted[slot], slot.name))
    placed: list[float] = []
    for slot in ordered:
        placed.append(max(wanted[slot], placed[-1] + 1 if placed else wanted[slot]))
    shift = _mean(placed) - _mean(list(wanted.values()))
    return {slot: row - shift for slot, row in zip(ordered, placed, strict=True)}


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _arrow(route: list[tuple[int, int]]) -> str:
    """One arrow: curves between columns, straight lines along the lanes."""
    middle = TALL // 2
    (x, y), *rest = route
    path = [f"M{x + BOX},{y + middle}"]
    for at, (left, top) in enumerate(rest):
        bend = GAP // 2
        before = rest[at - 1] if at else (x, y)
        start, end = (before[0] + BOX, before[1] + middle), (left, top + middle)
        path.append(f"C{start[0] + bend},{start[1]} {end[0] - bend},{end[1]} {end[0]},{end[1]}")
        if at < len(rest) - 1:
            path.append(f"H{left + BOX}")
    line = " ".join(path)
    return (
        f'<path d="{line}" fill="none" stroke="#777777" stroke-width="1.2" '
        'marker-end="url(#head)"/>'
    )


def _box(node: Node, x: int, y: int) -> str:
    colour = _COLOURS[node.kind]
    return (
        f"<g><title>{escape(node.name)}: {escape(node.detail)}</title>"
        f'<rect x="{x}" y="{y}" width="{BOX}" height="{TALL}" rx="6" fill="white" '
        f'stroke="{colour}" stroke-width="1.6"/>'
        f'<text x="{x + 10}" y="{y + 18}" fill="#111111">{escape(_cut(node.name, NAME))}</text>'
        f'<text x="{x + 10}" y="{y + 33}" font-size="10" fill="#555555">'
        f"{escape(_cut(node.detail, DETAIL))}</text></g>"
    )


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
