"""prefloop timings: how long each stage took, its peak memory and its tokens per second.

A table of the last run of every stage on this machine. Tokens are those that generate and evaluate
sampled; that score and length_bias judged, each prompt once with its responses; that reference
computed, the prompt with either side; and that a trainer read in all its epochs. Times are kept in
.work/timings, outside of the build: the same build has the same bytes however long it took.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from curation.audit.text import table
from curation.core.errors import UserError
from pipelines.core.stage import TIMINGS
from pipelines.shared import asking

TASK = "ask a build"

_HEAD = ("stage", "seconds", "CPU seconds", "peak GiB", "rows", "tokens", "tokens per second")


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table, the longest stage first; exit code 2 where no stage has run here."""
    parser = asking.parser("timings", __doc__, build=False)
    parser.add_argument("--json", action="store_true", help="one JSON object per stage")
    args = parser.parse_args(argv)
    return asking.guard("timings", lambda: _print(read(TIMINGS), args.json))


def _print(found: list[dict[str, float | str | None]], as_json: bool) -> None:
    if as_json:
        print("\n".join(json.dumps(one, sort_keys=True) for one in found))
    else:
        print(table(_HEAD, [_row(one) for one in found]))


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
    costs = [one["seconds"], one["cpu_seconds"], one.get("peak_gib")]
    return [one["stage"], *costs, one["rows"], tokens, rate]
