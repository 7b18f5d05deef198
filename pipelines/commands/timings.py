"""prefloop timings: how long each stage took, and its tokens per second.

A table of the last run of every stage on this machine. Tokens are those that generate and evaluate
sampled; that score and length_bias judged, each prompt once with its responses; that reference
computed, the prompt with either side; and that a trainer read in all its epochs. Times are kept in
.work/timings, outside of the build: the same build has the same bytes however long it took.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from curation.audit.text import table
from curation.core.errors import UserError
from pipelines.core.stage import TIMINGS

TASK = "ask a build"

_HEAD = ("stage", "seconds", "CPU seconds", "rows", "tokens", "tokens per second")


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table, the longest stage first; exit code 2 where no stage has run here."""
    parser = argparse.ArgumentParser(prog="prefloop timings", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object per stage")
    args = parser.parse_args(argv)
    try:
        found = read(TIMINGS)
    except UserError as error:
        print(f"timings: {error}", file=sys.stderr)
        return 2
    if args.json:
        print("\n".join(json.dumps(one, sort_keys=True) for one in found))
        return 0
    print(table(_HEAD, [_row(one) for one in found]))
    return 0


def read(folder: Path) -> list[dict[str, float | str | None]]:
    """The stages' records, the longest first.

    Raises:
        UserError: no stage has run here.
    """
    found = [json.loads(file.read_text("utf-8")) for file in sorted(folder.glob("*.json"))]
    if not found:
        raise UserError(f"{folder}: no stage has run in this folder yet; run prefloop repro")
    return sorted(found, key=lambda one: (-one["seconds"], one["stage"]))


def _row(one: dict[str, float | str | None]) -> list[object]:
    tokens, seconds = one["tokens"], one["seconds"]
    assert isinstance(seconds, float)
    rate = round(float(tokens) / max(seconds, 1e-3)) if tokens else None
    return [one["stage"], one["seconds"], one["cpu_seconds"], one["rows"], tokens, rate]
