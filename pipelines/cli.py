"""prefloop: the commands around `dvc repro`. Run `prefloop COMMAND --help` for each."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from curation.core.words import meant
from pipelines.core.ending import ended
from pipelines.shared import command_list, project

ANYWHERE = ("init", "completion")  # they need no project


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
    if given and not given[0].startswith("-"):
        return _run(given[0], given[1:])
    parser = argparse.ArgumentParser(
        prog="prefloop",
        description=__doc__,
        epilog=index(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"prefloop {project.released()}")
    parser.add_argument("command", nargs="?", metavar="COMMAND")
    parser.add_argument("rest", nargs=argparse.REMAINDER, metavar="...")
    parser.parse_args(given)
    parser.print_help()
    return 0


def _run(name: str, rest: Sequence[str]) -> int:
    """One command, from the project's root where it was given in a folder below."""
    command = command_list.find(name)
    if command is None:
        near = meant(name, [one.name for one in command_list.listed()])
        print(f"prefloop: {name}: no such command; {near}", file=sys.stderr)
        return 2
    here = Path.cwd()
    folder = None if name in ANYWHERE else project.root(here)
    if folder is not None and folder != here:
        rest = project.from_root(rest, here, folder)
        os.chdir(folder)
    return int(importlib.import_module(command.module).main(rest))


if __name__ == "__main__":
    sys.exit(main())
