"""prefloop init: make a project in a new folder: graph, recipe, git and DVC.

The folder gets the graph, the recipes, the sample's rows and params.yaml; the code stays where it
is installed. Inside a git repository the project is a part of it.

Run: prefloop init DIR [--recipe sample]
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pipelines.core.outputs import atomic
from pipelines.shared import asking, project, recipe_text
from pipelines.shared.recipes import IN_PLACE, checked, find

TASK = "build"


def main(argv: Sequence[str]) -> int:
    """Make the project, whole, and say what to type next."""
    parser = asking.parser("init", __doc__, build=False)
    parser.add_argument("folder", type=Path, metavar="DIR", help="a new or empty folder")
    parser.add_argument("--recipe", default="sample", help="a name under recipes/ (sample)")
    args = parser.parse_args(argv)
    return asking.guard("init", lambda: _init(args.folder, args.recipe))


def _init(folder: Path, recipe: str) -> None:
    find(recipe, project.template() / "recipes")
    here = Path.cwd()
    project.create(folder)
    try:
        os.chdir(folder)
        read, params = checked(find(recipe))
        with atomic(IN_PLACE) as temp:
            temp.write_text(recipe_text.text(read), "utf-8")
    finally:
        os.chdir(here)
    print(f"{folder}: the recipe {recipe}, {len(params.sources)} sources. Next:")
    print(f"  cd {folder}\n  git add -A && git commit -m project\n  prefloop repro")
