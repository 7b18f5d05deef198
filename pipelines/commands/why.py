"""prefloop why: the life of one row: a pair, prompt, response, example or source row.

Run: prefloop why ID
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

from curation.audit.text import block, table
from curation.audit.why import Life, explain
from pipelines.shared import asking

TASK = "ask a build"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = asking.parser("why", __doc__)
    parser.add_argument("id", metavar="ID", help="an id, or the beginning of one")
    parser.add_argument("--json", action="store_true", help="all of it, for a machine")
    args = parser.parse_args(argv)
    return asking.guard("why", lambda: _body(args))


def _body(args: argparse.Namespace) -> None:
    life = explain(args.data, args.id)
    if args.json:
        print(json.dumps(asdict(life), indent=1, ensure_ascii=False))
    else:
        print(_text(life))


def _text(life: Life) -> str:
    names = ("stage", "verdict", "item", "detail")
    steps = [(step.stage, step.verdict, step.item, step.detail) for step in life.steps]
    parts = [f"{life.kind} {life.id}", table(names, steps, 160)]
    parts.extend(f"{name}:\n{block(text)}" for name, text in life.texts)
    return "\n\n".join(parts)


if __name__ == "__main__":
    sys.exit(main())
