"""prefloop: the commands around `dvc repro`. Run `prefloop COMMAND --help` for each."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from pipelines.core.ending import ended
from pipelines.shared import command_list


def index() -> str:
    """Every command with its sentence, by task."""
    lines: dict[str, list[str]] = {}
    for one in command_list.listed():
        lines.setdefault(one.task, []).append(f"  {one.name:<14}{one.sentence}")
    return "\n\n".join("\n".join([f"{task}:", *found]) for task, found in lines.items())


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code: 2 for bad input, 130 where Ctrl-C has ended it."""
    return ended("prefloop", lambda: _main(argv))


def _main(argv: Sequence[str] | None) -> int:
    given = list(sys.argv[1:] if argv is None else argv)
    command = command_list.find(given[0]) if given and not given[0].startswith("-") else None
    if command is not None:
        return int(importlib.import_module(command.module).main(given[1:]))
    parser = argparse.ArgumentParser(
        prog="prefloop",
        description=__doc__,
        epilog=index(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = [one.name for one in command_list.listed()]
    parser.add_argument("command", nargs="?", choices=names, metavar="COMMAND")
    parser.add_argument("rest", nargs=argparse.REMAINDER, metavar="...")
    parser.parse_args(given)
    parser.print_help()
    return 0


if __name__ == "__main__":
    sys.exit(main())
