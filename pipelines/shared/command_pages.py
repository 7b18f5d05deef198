"""docs/reference/commands.md: every command with its docstring and its own parser's flags."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from pipelines.shared.command_list import Command, listed
from pipelines.shared.parsers import parser_of

_INTRO = """# Commands

`prefloop COMMAND --help` prints the same in a terminal. Each exits with 0, or with 2 and one line
that says what was wrong with the input."""


def commands() -> str:
    """Every command, by task."""
    parts, task = [_INTRO], ""
    for one in listed():
        if one.task != task:
            task = one.task
            parts.append(f"## {task[0].upper()}{task[1:]}")
        parts.append(_section(one))
    return "\n\n".join(parts)


def _section(command: Command) -> str:
    head = f"### prefloop {command.name}\n\n{command.sentence[0].upper()}{command.sentence[1:]}."
    more = command.doc.partition("\n")[2].strip("\n")
    parts = [head, f"```text\n{more}\n```"] if more else [head]
    parts.extend(_flags(parser_of(command.module)))
    return "\n\n".join(parts)


def _flags(parser: argparse.ArgumentParser, name: str = "") -> Iterator[str]:
    """A list of a parser's flags, then that of each of its sub-commands."""
    shown = [action for action in parser._actions if _is_flag(action)]
    if shown:
        title = f"With `{name}`:\n\n" if name else ""
        yield title + "\n".join(map(_line, shown))
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, inner in action.choices.items():
                yield from _flags(inner, f"{name} {word}".strip())


def _is_flag(action: argparse.Action) -> bool:
    special = (argparse._HelpAction, argparse._SubParsersAction)
    return not isinstance(action, special) and action.help != argparse.SUPPRESS


def _line(action: argparse.Action) -> str:
    words = ", ".join(action.option_strings) or str(action.metavar or action.dest)
    facts = [action.help or "", _choices(action), "required" if _required(action) else ""]
    said = "; ".join(fact for fact in facts if fact)
    return f"- `{words}{_takes(action)}`" + (f": {said}" if said else "")


def _takes(action: argparse.Action) -> str:
    if not action.option_strings or action.nargs == 0:
        return ""
    name = action.metavar or action.dest.upper()
    return f" {' '.join(name) if isinstance(name, tuple) else name}"


def _choices(action: argparse.Action) -> str:
    return f"one of {', '.join(map(str, action.choices))}" if action.choices else ""


def _required(action: argparse.Action) -> bool:
    return bool(action.option_strings) and action.required
