"""The commands of `prefloop`, read from the heads of their files: none is imported for it.

A file of pipelines/commands is a command when its docstring opens with `prefloop NAME: sentence.`
and it says under which task it is listed: `TASK = "build"`.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "commands"
TASKS = (
    "build",
    "ask a build",
    "try another pairing, and look",
    "measure judges and policies",
    "hand over",
    "keep the project true",
)
"""The tasks in the order in which `prefloop` lists them."""

_HEAD = re.compile(r"prefloop (?P<name>[a-z-]+): (?P<sentence>[^\n]+)\.(?=\n|$)")


@dataclass(frozen=True)
class Command:
    """One command: its name, its module, its sentence without the dot, its task, its docstring."""

    name: str
    module: str
    sentence: str
    task: str
    doc: str


def listed() -> list[Command]:
    """Every command, by task in the order of TASKS and by name.

    Raises:
        ValueError: a file of the folder does not say what command it is, or of which task.
    """
    found = [_read(path) for path in FOLDER.glob("*.py") if path.name != "__init__.py"]
    return sorted(found, key=lambda one: (TASKS.index(one.task), one.name))


def find(name: str) -> Command | None:
    """The command of this name: of the file that is named after it, else of any that claims it."""
    path = FOLDER / f"{name.replace('-', '_')}.py"
    if path.is_file() and path.name != "__init__.py":
        return _read(path)
    return next((one for one in listed() if one.name == name), None)


def _read(path: Path) -> Command:
    tree = ast.parse(path.read_text("utf-8"))
    doc = ast.get_docstring(tree) or ""
    head = _HEAD.match(doc)
    if head is None:
        raise ValueError(f"{path}: its docstring must open with `prefloop NAME: sentence.`")
    task = next((task for node in tree.body if (task := _task(node)) is not None), None)
    if task not in TASKS:
        raise ValueError(f'{path}: needs TASK = "...", one of: {"; ".join(TASKS)}')
    return Command(head["name"], f"pipelines.commands.{path.stem}", head["sentence"], task, doc)


def _task(node: ast.stmt) -> str | None:
    """What `TASK = "..."` says, else None."""
    match node:
        case ast.Assign(targets=[ast.Name(id="TASK")], value=ast.Constant(value=str(said))):
            return said
    return None
