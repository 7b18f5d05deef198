"""Tokenizers x templates x architectures through the real stages, held against plain transformers.

Run: python -m benchmarks.matrix [--only NAME ...] [--short] [--report]

Each row samples, imports, pairs, stores references, takes a step of DPO, scores and evaluates with
tiny random models behind a real vocabulary. Finished rows are kept under .work/matrix and not run
again by the same code, so a run that was stopped goes on. Writes benchmarks/results/matrix.md and
matrix.json; --only and --short print the rows and write neither; --report writes what is
finished, by other code too, and runs nothing. Exit code 1: a row is not as it should be.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.matrix import combinations, page, running
from pipelines.core import code
from pipelines.core.code import ROOT, Code

WORK = ROOT / ".work" / "matrix"
RESULTS = ROOT / "benchmarks" / "results"
_STAGES = ("base", "generate", "score", "pair", "history", "reference", "dpo", "evaluate")


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.matrix", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="rows, or parts")
    parser.add_argument("--short", action="store_true", help="a few rows that differ in kind")
    parser.add_argument("--report", action="store_true", help="write what is finished, run nothing")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Run what is missing, then print or write; the exit code."""
    args = parse(argv)
    chosen = _chosen(args)
    if not chosen:
        print(f"matrix: no row is named {' or '.join(args.only)}", file=sys.stderr)
        return 2
    from training.core import environment

    environment.prepare()
    key = _key()
    rows = []
    for combination in chosen:
        row = _kept(combination, None) if args.report else _row(combination, key)
        if row is not None:
            rows.append(row)
            print(page.line(row), flush=True)
    if not (args.only or args.short):
        page.write(RESULTS, rows, len(chosen))
    return int(not all(row.expected for row in rows))


def _chosen(args: argparse.Namespace) -> list[combinations.Combination]:
    rows = combinations.every()
    if args.short:
        rows = [row for row in rows if row.name in combinations.SHORT]
    if args.only:
        rows = [row for row in rows if any(name in row.name for name in args.only)]
    return rows


def _row(combination: combinations.Combination, key: str) -> running.Row:
    row = _kept(combination, key)
    if row is None:
        row = running.run(combination, WORK / "builds" / _slug(combination))
        running.keep(_file(combination), key, row)
    return row


def _kept(combination: combinations.Combination, key: str | None) -> running.Row | None:
    return running.kept(_file(combination), key)


def _file(combination: combinations.Combination) -> Path:
    return WORK / "rows" / f"{_slug(combination)}.json"


def _slug(combination: combinations.Combination) -> str:
    return re.sub(r"\W+", "-", combination.name)


def _key() -> str:
    """Hash of the code of the stages and of the matrix."""
    names = [f"pipelines.stages.{name}" for name in _STAGES] + ["pipelines.commands.import_rows"]
    own = Code(ROOT, (*code.PACKAGES, "benchmarks")).sha("benchmarks.matrix.running")
    return hashlib.sha256(" ".join([own, *map(code.sha, names)]).encode()).hexdigest()[:24]


if __name__ == "__main__":
    sys.exit(main())
