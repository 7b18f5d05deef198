"""prefloop dictionary: write the data dictionary of curation/core/schema.py into the README."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

from curation.core.schema import TABLES, Table
from curation.review.decisions import REVIEWS
from pipelines.core.io import atomic

BEGIN = "<!-- dictionary: written by `prefloop dictionary` -->"
END = "<!-- /dictionary -->"


def section(table: Table) -> str:
    """One table as Markdown: its grain, its key, a row per column."""
    head = f"**{table.name}** — {table.grain} Key: {', '.join(f'`{name}`' for name in table.key)}."
    rows = [
        f"| `{column.name}` | {_short(str(column.dtype))} | {'yes' if column.nullable else ''} "
        f"| {column.doc} |"
        for column in table.columns
    ]
    return "\n".join([head, "", "| column | type | null | meaning |", "|---|---|---|---|", *rows])


def _short(dtype: str) -> str:
    return "messages" if dtype.startswith("List(Struct") else dtype


def insert(readme: str) -> str:
    """The README with the text between its two markers replaced.

    Raises:
        ValueError: the README lacks the markers.
    """
    body = "\n\n".join(section(table) for table in (*TABLES.values(), REVIEWS))
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    if not pattern.search(readme):
        raise ValueError(f"the README lacks the markers {BEGIN} and {END}")
    return pattern.sub(lambda _: f"{BEGIN}\n{body}\n{END}", readme)


def main(argv: Sequence[str]) -> int:
    """Rewrite README.md in place."""
    argparse.ArgumentParser(prog="prefloop dictionary", description=__doc__).parse_args(argv)
    path = Path("README.md")
    text = insert(path.read_text("utf-8"))
    with atomic(path) as temp:
        temp.write_text(text, "utf-8")
    print(f"{path}: {len(TABLES) + 1} tables")
    return 0
