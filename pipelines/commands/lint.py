"""prefloop lint: what is wrong with a file of rows, before any recipe reads it.

    prefloop lint rows.jsonl.gz
    prefloop lint folder --html lint.html --fail-on major
    prefloop lint 'hf://OWNER/NAME@main/data/*.parquet' --write lint.yaml
    prefloop lint rows.jsonl --benchmark gsm8k=gsm8k_test.jsonl:question

FILE is a file of rows in any form and packing, a folder of them, or files of a dataset on the Hub.
The form is found by the columns. Each fault is told with how often it is there, three rows, and the
rule that drops such rows; a fault of few rows is MINOR. No recipe, repository or build is needed.
Examples name rows by their place among the readable ones.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pipelines.shared import asking

TASK = "build"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; 0, 1 where --fail-on holds, or 2 on bad input."""
    parser = asking.parser("lint", __doc__, build=False)
    parser.add_argument("file", metavar="FILE")
    known = "items that no prompt may hold; COLUMN is text where it is not given"
    parser.add_argument(
        "--benchmark", action="append", default=[], metavar="NAME=FILE[:COLUMN]", help=known
    )
    parser.add_argument("--html", type=Path, metavar="PATH", help="write one page")
    parser.add_argument("--json", type=Path, metavar="PATH")
    parser.add_argument("--sarif", type=Path, metavar="PATH", help="for code scanning")
    parser.add_argument("--write", type=Path, metavar="PATH", help="write a recipe's source entry")
    parser.add_argument("--name", default="mine", help="name of the source in it")
    severe = "exit with 1 where such a fault, or a graver one, is there"
    parser.add_argument(
        "--fail-on", choices=("never", "major", "minor"), default="never", help=severe
    )
    args = parser.parse_args(argv)
    failed: list[bool] = []
    return asking.guard("lint", lambda: failed.append(_lint(args))) or int(any(failed))


def _lint(args: argparse.Namespace) -> bool:
    """Read, tell, write; whether --fail-on holds."""
    from curation.lint import render
    from pipelines.core.outputs import Outputs
    from pipelines.shared import linting

    known = linting.benchmarks(args.benchmark)
    with tempfile.TemporaryDirectory() as folder:
        found = linting.reports(args.file, Path(folder), known)
    print(render.text(found))
    outputs = Outputs()
    if args.html:
        outputs.text(args.html, render.page(found))
    if args.json:
        outputs.json(args.json, render.as_json(found))
    if args.sarif:
        outputs.json(args.sarif, render.sarif(found))
    if args.write:
        outputs.text(args.write, linting.recipe(args.name, found))
    outputs.commit()
    worst = {one.worst() for one in found}
    grave = {"never": set(), "major": {"MAJOR"}, "minor": {"MAJOR", "MINOR"}}
    return bool(worst & grave[args.fail_on])


if __name__ == "__main__":
    sys.exit(main())
