"""prefloop params: what a knob of params.yaml does, takes and is by default.

Without a key it lists the sections, with a section's key its knobs.

Run: prefloop params [KEY], such as prefloop params iterations.iter1.n
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from curation.core.errors import UserError
from pipelines.core.params.text import IN_PLACE, read
from pipelines.shared import asking, knobs
from pipelines.shared.knobs import Knob

TASK = "build"


def main(argv: Sequence[str]) -> int:
    """Print a knob, a section or all sections; 2 for a key that is not there."""
    parser = asking.parser("params", __doc__, build=False)
    parser.add_argument("key", nargs="?", metavar="KEY", help="dotted, such as dpo.beta")
    parser.add_argument("--params", type=Path, default=IN_PLACE, metavar="FILE")
    args = parser.parse_args(argv)
    return asking.guard(
        "params", lambda: print(_all() if args.key is None else _one(args.key, args.params))
    )


def _all() -> str:
    return _list(one for one in knobs.every() if "." not in one.key)


def _one(key: str, path: Path) -> str:
    knob, below = knobs.named(key)
    facts = [
        ("takes", ", ".join(filter(None, (knob.kind, knob.bounds)))),
        ("unit", knob.unit),
        ("default", "none: a recipe must say it" if knob.default is None else knob.default),
    ]
    if not below:
        facts.append((path.name, _value(key, path)))
    lines = [f"  {name + ':':<13}{told}" for name, told in facts if told]
    return "\n".join(
        [key, *textwrap.wrap(knob.says, 98), *lines, *([_list(below)] if below else [])]
    )


def _value(key: str, path: Path) -> str:
    """What the recipe in place says of a key; empty where there is none, or it says nothing."""
    try:
        at: Any = read(path).values
    except UserError:
        return ""
    for part in key.split("."):
        if not isinstance(at, dict) or part not in at:
            return ""
        at = at[part]
    return "null" if at is None else str(at).lower() if isinstance(at, bool) else str(at)


def _list(several: Iterable[Knob]) -> str:
    shown = list(several)
    width = max(len(one.key) for one in shown) + 2
    return "\n".join(f"  {one.key:<{width}}{one.says}" for one in shown)
