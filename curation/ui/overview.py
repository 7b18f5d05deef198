"""The front page: what the build holds and whether its gates passed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from curation.audit import sql
from curation.audit.connect import rows
from curation.core.statements import statement
from curation.ui.build import Build

_GATES = statement("curation.ui", "gates")
_SHOWN = ("sources", "preferences", "mixes", "prompts", "generations", "scores", "pairs", "history")
_ITERATIONS = statement("curation.ui", "iterations")


@dataclass(frozen=True)
class Overview:
    """What the front page shows."""

    tables: list[tuple[str, int]]
    gates: dict[str, Any]
    iterations: list[dict[str, Any]]
    queries: list[sql.Shipped]
    decisions: int
    report: bool


def overview(build: Build) -> Overview:
    """Count the rows of the main tables."""
    with build.open() as con:
        counts = " union all ".join(
            f"select {at} as place, '{name}' as name, count(*) as n from {name}"
            for at, name in enumerate(_SHOWN)
        )
        found = con.execute(f"{counts} order by place").fetchall()
        (gates,) = rows(con, _GATES)
        iterations = rows(con, _ITERATIONS)
    return Overview(
        tables=[(name, n) for _, name, n in found],
        gates=gates,
        iterations=iterations,
        queries=sql.shipped(),
        decisions=build.decisions().height,
        report=(build.data / "report" / "index.html").is_file(),
    )
