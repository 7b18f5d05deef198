"""prefloop use: put a recipe in place as params.yaml.

params.yaml is then the whole of the recipe and of those it extends, with the sentence of each knob.

Run: prefloop use RECIPE
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from curation.core.errors import UserError
from pipelines.core.outputs import atomic
from pipelines.shared import recipe_text
from pipelines.shared.recipes import IN_PLACE, checked, find

TASK = "build"


def main(argv: Sequence[str]) -> int:
    """Check a recipe and write it to params.yaml, whole or not at all."""
    parser = argparse.ArgumentParser(prog="prefloop use", description=__doc__)
    parser.add_argument("recipe", help="a name under recipes/ or a path")
    args = parser.parse_args(argv)
    try:
        path = find(args.recipe)
        recipe, params = checked(path)
    except UserError as error:
        print(f"use: {error}", file=sys.stderr)
        return 2
    with atomic(IN_PLACE) as temp:
        temp.write_text(recipe_text.text(recipe), "utf-8")
    print(f"{IN_PLACE} is now {path} ({len(params.sources)} sources); run dvc repro")
    return 0
