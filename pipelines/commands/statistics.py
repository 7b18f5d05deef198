"""prefloop statistics: every set and mix beside the paper's own rows.

Run: prefloop statistics

Sizes, mean lengths in tokens, annotator, share of pairs whose longer response is chosen, margins,
turns, duplicates; then what each rule dropped. It reads the metrics the stages wrote, no table.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from curation.audit import sets
from curation.audit.text import table
from curation.core.errors import UserError
from pipelines.core.io import read_json
from pipelines.shared import asking

TASK = "ask a build"

WIDTH = 200  # a set with many rules has a long list of drops


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = asking.parser("statistics", __doc__)
    args = parser.parse_args(argv)
    return asking.guard("statistics", lambda: _body(args))


def _body(args: argparse.Namespace) -> None:
    sources = _metrics(args.data / "sources" / "preference")
    mixes = _metrics(args.data / "mixes")
    if not sources:
        raise UserError(f"{args.data}: no set has been standardised here; run dvc repro")
    formats = {name: _format(args.data, name) for name in sources}
    rows = [
        row for name, one in sources.items() for row in sets.of_source(name, formats[name], one)
    ]
    rows += [row for name, one in mixes.items() for row in sets.of_mix(name, one, formats)]
    drops = [sets.waterfall("source", name, one) for name, one in sources.items()]
    drops += [sets.waterfall("mix", name, one) for name, one in mixes.items()]
    print(table(sets.NAMES, rows))
    print("\n" + table(sets.DROPS, drops, WIDTH))


def _metrics(folder: Path) -> dict[str, Any]:
    return {path.parent.name: read_json(path) for path in sorted(folder.glob("*/metrics.json"))}


def _format(data: Path, name: str) -> str:
    manifest = data / "sources" / "preference" / name / "fetch.json"
    return str(read_json(manifest).get("format", ""))


if __name__ == "__main__":
    sys.exit(main())
