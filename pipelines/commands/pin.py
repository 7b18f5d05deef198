"""prefloop pin: record the commits that the Hub's sets are at now.

Run: prefloop pin [SOURCE ...]

Each source with a uri is looked up; its commit is written to the file of pins that its `path` names
(a JSON object of source: commit). From then on `fetch` refuses a branch or tag that has moved. Pin
again to take what has changed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from curation.core.errors import UserError
from pipelines.core import params
from pipelines.core.io import read_json
from pipelines.shared import asking, source_files

TASK = "build"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="prefloop pin",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("sources", nargs="*", metavar="SOURCE", help="names; all of the hub's sets")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    args = parser.parse_args(argv)
    return asking.guard("pin", lambda: _body(args))


def _body(args: argparse.Namespace) -> None:
    whole = params.load(args.params)
    of_hub = [name for name, source in whole.sources.items() if source.uri is not None]
    names = args.sources or of_hub
    if not names:
        raise UserError(f"{args.params}: no source has a uri; there is nothing to pin")
    found: dict[Path, dict[str, str]] = {}
    for name in names:
        source = source_files.configured(whole, name, args.params)
        if source.uri is None:
            raise UserError(f"sources.{name}: has no uri; only sets of the hub are pinned")
        commit = source_files.commit_of(source, f"sources.{name}")
        found.setdefault(Path(source.path), {})[name] = commit
        print(f"{name}: {commit}")
    for path, commits in found.items():  # all were found before any is written
        _write(path, {**(read_json(path) if path.is_file() else {}), **commits})


def _write(path: Path, pins: dict[str, str]) -> None:
    made = path.with_name(f".{path.name}.{os.getpid()}")
    made.write_text(json.dumps(pins, indent=1, sort_keys=True) + "\n", "utf-8")
    os.replace(made, path)


if __name__ == "__main__":
    sys.exit(main())
