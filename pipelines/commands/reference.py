"""prefloop reference: write the generated pages of docs/reference/ and params.schema.json.

Parameters, commands, tables, rules, formats, checks and shipped queries, each from the code that
defines it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from pipelines.core.outputs import atomic
from pipelines.shared.parameter_pages import schema
from pipelines.shared.recipe_text import SCHEMA
from pipelines.shared.reference_pages import pages

TASK = "keep the project true"
FOLDER = Path("docs/reference")


def main(argv: Sequence[str] | None = None) -> int:
    """Rewrite the pages that are not as they should be, and name them."""
    argparse.ArgumentParser(prog="prefloop reference", description=__doc__).parse_args(argv)
    made = {FOLDER / name: text for name, text in pages().items()} | {SCHEMA: schema()}
    changed = [path.as_posix() for path, text in made.items() if _write(path, text)]
    print(f"written: {', '.join(changed) if changed else 'nothing to change'}")
    return 0


def _write(path: Path, text: str) -> bool:
    if path.is_file() and path.read_text("utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic(path) as temp:
        temp.write_text(text, "utf-8")
    return True
