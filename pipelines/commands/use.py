"""prefloop use: put a recipe in place as params.yaml.

params.yaml is then the whole of the recipe and of those it extends, with the sentence of each knob.

Run: prefloop use RECIPE
"""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.core.outputs import atomic
from pipelines.shared import asking, recipe_text
from pipelines.shared.recipes import IN_PLACE, checked, find

TASK = "build"


def main(argv: Sequence[str]) -> int:
    """Check a recipe and write it to params.yaml, whole or not at all."""
    parser = asking.parser("use", __doc__, build=False)
    parser.add_argument("recipe", help="a name under recipes/ or a path")
    args = parser.parse_args(argv)
    return asking.guard("use", lambda: _use(args.recipe))


def _use(name: str) -> None:
    path = find(name)
    recipe, params = checked(path)
    with atomic(IN_PLACE) as temp:
        temp.write_text(recipe_text.text(recipe), "utf-8")
    print(f"{IN_PLACE} is now {path} ({len(params.sources)} sources); run dvc repro")
