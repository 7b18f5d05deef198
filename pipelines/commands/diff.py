"""prefloop diff: what changed in a table between two revisions, builds or files.

Run: prefloop diff A B --table pairs

A and B are git revisions (their data comes from DVC's cache or remote), folders of a build, or
Parquet files. `prefloop diff HEAD data` compares the last commit with the working tree.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from curation.audit.diff import TABLES, Difference, compare
from curation.audit.text import table
from curation.core.errors import UserError
from pipelines.shared import asking
from pipelines.shared.revisions import fetch

TASK = "ask a build"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = asking.parser("diff", __doc__)
    parser.add_argument("a", metavar="A", help="a git revision, a build's folder or a Parquet file")
    parser.add_argument(
        "b", metavar="B", nargs="?", help="the same; by default the build in --data"
    )
    parser.add_argument("--table", choices=TABLES, default="pairs")
    parser.add_argument("--json", action="store_true", help="all of it, for a machine")
    args = parser.parse_args(argv)
    return asking.guard("diff", lambda: _body(args))


def _body(args: argparse.Namespace) -> None:
    second = args.b or str(args.data)
    with tempfile.TemporaryDirectory(prefix="prefloop-diff-") as folder:
        old = _files(args.a, args.table, args.data, Path(folder) / "a")
        new = _files(second, args.table, args.data, Path(folder) / "b")
        builds = not any(Path(side).is_file() for side in (args.a, second))
        found = compare(args.table, old, new, apart=builds)
    if args.json:
        print(json.dumps(asdict(found), indent=1, ensure_ascii=False, sort_keys=True))
    else:
        print(_text(found, args.a, second))


def _files(side: str, name: str, data: Path, scratch: Path) -> list[Path]:
    """The Parquet files of one side: a file, a folder's, or a revision's brought to `scratch`."""
    path = Path(side)
    pattern = TABLES[name][2]
    if path.is_file():
        return [path]
    if path.is_dir():
        found = sorted(path.glob(pattern))
        if not found:
            raise UserError(f"{path}: holds no {pattern}; name a build's folder or a Parquet file")
        return found
    return fetch(side, data, pattern, scratch)


def _text(found: Difference, a: str, b: str) -> str:
    counts = ", ".join(f"{count} {status}" for status, count in found.counts.items())
    parts = [f"{found.table}: {a} -> {b}", counts]
    if found.groups:
        names = list(found.groups[0])
        parts.append(table(names, [[row[name] for name in names] for row in found.groups]))
    for status, examples in found.examples.items():
        if examples:
            names = list(examples[0])
            parts.append(f"{status}, for example:")
            parts.append(table(names, [[row[name] for name in names] for row in examples], 40))
    return "\n\n".join(parts)


if __name__ == "__main__":
    sys.exit(main())
