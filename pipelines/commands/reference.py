"""prefloop reference: write the generated pages of docs/reference/.

Commands, tables, rules, formats, checks and shipped queries, each from the code that defines it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from pipelines.core.io import atomic
from pipelines.shared.reference_pages import pages

TASK = "keep the project true"
FOLDER = Path("docs/reference")


def main(argv: Sequence[str] | None = None) -> int:
    """Rewrite the pages that are not as they should be, and name them."""
    argparse.ArgumentParser(prog="prefloop reference", description=__doc__).parse_args(argv)
    changed = [name for name, text in pages().items() if _write(FOLDER / name, text)]
    print(f"{FOLDER}: {', '.join(changed) if changed else 'nothing to change'}")
    return 0


def _write(path: Path, text: str) -> bool:
    if path.is_file() and path.read_text("utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic(path) as temp:
        temp.write_text(text, "utf-8")
    return True
