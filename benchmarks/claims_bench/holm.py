"""The verdicts of a written results page, corrected for the number of its parts.

Run: python -m benchmarks.claims_bench.holm benchmarks/results/claims.md

Reads each part's effects by seed from the page's own tables, runs nothing, and prints a table: the
verdict as it stands there, p, p by Holm over all parts as one family, and the verdict by that.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.claims_bench import markdown
from benchmarks.claims_bench.verdicts import Measured, corrected, measure
from curation.core.errors import UserError

HEAD = ("claim", "part", "seeds", "mean", "verdict", "p", "p by Holm", "verdict by Holm")


def main(argv: Sequence[str] | None = None) -> None:
    """Read the page, print the table."""
    (path,) = (Path(one) for one in (sys.argv[1:] if argv is None else argv))
    names, parts = parts_of(path)
    rows = []
    for (claim, says), one in zip(names, corrected(parts), strict=True):
        figures = [f"{one.mean:+.3f}", one.verdict, f"{one.p:.4f}", f"{one.corrected:.4f}"]
        rows.append([claim, says, f"{len(one.effects)}", *figures, one.corrected_verdict])
    print(markdown.table(HEAD, rows))


def parts_of(path: Path) -> tuple[list[tuple[str, str]], list[Measured]]:
    """(claim, part) and what was measured of it, for every row of the page's tables of effects.

    Raises:
        UserError: the page has none.
    """
    names, found = [], []
    claim, head = "", [""]
    for line in path.read_text("utf-8").splitlines():
        if said := re.match(r"## (\w+):", line):
            claim = said[1]
        if not line.startswith("|"):
            head = [""]
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] == "effect":
            head = cells
        elif head[0] == "effect" and not line.startswith("|-"):
            seeds = [n for n, name in enumerate(head) if name.startswith("seed ")]
            effects = [None if cells[n] == "none" else float(cells[n]) for n in seeds]
            names.append((claim, cells[0]))
            found.append(measure(effects, float(cells[head.index("bound")])))
    if not found:
        raise UserError(f"{path}: no table of effects by seed")
    return names, found


if __name__ == "__main__":
    main()
