"""prefloop what-if: re-pair the stored scores of one iteration another way.

Run: prefloop what-if --iteration iter1 --strategy best_second --length-penalty auto

No model is loaded and nothing is written. What is not given stays as params.yaml has it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from curation.pairing.what_if import text
from pipelines.core.outputs import rounded
from pipelines.core.params import load
from pipelines.shared import asking
from pipelines.shared.scored import compare

TASK = "try another pairing, and look"

_KNOBS = (
    "strategy",
    "length_penalty",
    "length_unit",
    "min_margin",
    "truncated",
    "max_per_prompt",
    "top_k",
    "target_margin",
    "match_length",
    "match_within",
    "combine",
    "combine_k",
    "scale",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the flags, re-pair, print; the exit code."""
    args = _parser().parse_args(argv)
    return asking.guard("what-if", lambda: _body(args))


def _body(args: argparse.Namespace) -> None:
    found = compare(args.data, args.iteration, load(args.params), _given(args))
    print(json.dumps(rounded(found), indent=2) if args.json else text(found))


def _given(args: argparse.Namespace) -> dict[str, Any]:
    found = {knob: getattr(args, knob) for knob in _KNOBS}
    return {knob: value for knob, value in found.items() if value is not None}


def _parser() -> argparse.ArgumentParser:
    parser = asking.parser("what-if", __doc__)
    parser.add_argument("--iteration", required=True)
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), metavar="FILE")
    parser.add_argument("--json", action="store_true", help="print JSON")
    for knob in _KNOBS:
        parser.add_argument(f"--{knob.replace('_', '-')}", help=f"in place of pairs.{knob}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
