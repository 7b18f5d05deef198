"""prefloop lineage: what a checkpoint was made of.

Run: prefloop lineage iter2 [--svg lineage.svg]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from curation.audit.lineage import Lineage, trace
from curation.audit.picture import draw
from curation.audit.text import table
from pipelines.core import params
from pipelines.core.outputs import atomic
from pipelines.shared import asking

TASK = "ask a build"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = asking.parser("lineage", __doc__)
    parser.add_argument("checkpoint", metavar="CHECKPOINT", help="such as iter2, sft, offline")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), metavar="FILE")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw it into FILE as well")
    parser.add_argument("--json", action="store_true", help="all of it, for a machine")
    args = parser.parse_args(argv)
    return asking.guard("lineage", lambda: _body(args))


def _body(args: argparse.Namespace) -> None:
    recipe = params.load(args.params).model_dump(mode="json")
    found = trace(args.data, recipe, args.checkpoint)
    if args.json:
        print(json.dumps(asdict(found), indent=1, ensure_ascii=False))
    else:
        print(_text(found))
    if args.svg:
        with atomic(args.svg) as temp:
            temp.write_text(draw(found), "utf-8")
        print(f"picture: {args.svg}", file=sys.stderr)


def _text(found: Lineage) -> str:
    used_by: dict[str, list[str]] = {}
    for source, made in found.edges:
        used_by.setdefault(source, []).append(made)
    rows = [
        (
            "  " * node.depth + node.name,
            node.kind,
            ", ".join(used_by.get(node.name, [])),
            node.detail,
        )
        for node in found.nodes
    ]
    return table(("made of", "kind", "used by", "what is known of it"), rows, 110)


if __name__ == "__main__":
    sys.exit(main())
