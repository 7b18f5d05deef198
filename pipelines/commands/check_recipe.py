"""prefloop check-recipe: check a recipe and the graph it gives; run nothing.

Run: prefloop check-recipe RECIPE
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from curation.core.errors import UserError
from pipelines.shared.recipes import checked, find, resolve

TASK = "build"


def main(argv: Sequence[str]) -> int:
    """Validate a recipe and resolve the graph it gives, without running a stage."""
    parser = argparse.ArgumentParser(prog="prefloop check-recipe", description=__doc__)
    parser.add_argument("recipe", help="a name under recipes/ or a path")
    args = parser.parse_args(argv)
    try:
        path = find(args.recipe)
        checked(path)
        names = resolve(path)
    except UserError as error:
        print(f"check-recipe: {error}", file=sys.stderr)
        return 2
    print(f"{path}: valid, {len(names)} stages")
    return 0
