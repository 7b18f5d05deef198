"""prefloop check-recipe: check a recipe and the graph it gives; run nothing.

Run: prefloop check-recipe RECIPE
"""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.shared import asking
from pipelines.shared.recipes import checked, find, resolve

TASK = "build"


def main(argv: Sequence[str]) -> int:
    """Validate a recipe and resolve the graph it gives, without running a stage."""
    parser = asking.parser("check-recipe", __doc__, build=False)
    parser.add_argument("recipe", help="a name under recipes/ or a path")
    args = parser.parse_args(argv)
    return asking.guard("check-recipe", lambda: _check(args.recipe))


def _check(name: str) -> None:
    path = find(name)
    checked(path)
    print(f"{path}: valid, {len(resolve(path))} stages")
