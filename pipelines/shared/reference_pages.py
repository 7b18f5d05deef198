"""The generated pages of docs/reference/: each is written from the code that defines it."""

from __future__ import annotations

from collections.abc import Callable

from pipelines.shared import command_pages, parameter_pages
from pipelines.shared.grids import grid

_NOTE = "<!-- Written by `prefloop reference`: change the code, not this page. -->"


def pages() -> dict[str, str]:
    """File name in docs/reference/ -> its Markdown."""
    return {f"{name}.md": f"{_NOTE}\n\n{body().rstrip()}\n" for name, body in PAGES.items()}


def tables() -> str:
    """Every table of a build: its grain, its key, a row a column."""
    from curation.core.schema import TABLES
    from curation.review.decisions import REVIEWS

    intro = (
        "# Tables\n\nEvery table is a Parquet file, sorted by its key. `messages` is a list of "
        "`{role, content}`. `prefloop sql` reads them all by these names."
    )
    return "\n\n".join([intro, *map(_table, (*TABLES.values(), REVIEWS))])


def _table(table: object) -> str:
    from curation.core.schema import Table

    assert isinstance(table, Table)
    key = ", ".join(f"`{name}`" for name in table.key)
    rows = [
        (f"`{one.name}`", _short(str(one.dtype)), "yes" if one.nullable else "", one.doc)
        for one in table.columns
    ]
    head = f"## {table.name}\n\n{table.grain} Key: {key}."
    return f"{head}\n\n{grid(('column', 'type', 'null', 'meaning'), rows)}"


def _short(dtype: str) -> str:
    return "messages" if dtype.startswith("List(Struct") else dtype


def rules() -> str:
    """Every rule that a source's `filters` may name."""
    from curation.rules.shared import RULES
    from curation.rules.structural import STRUCTURAL

    intro = (
        "# Rules\n\nA source's `filters` name rules; the first that matches, in their order, drops "
        "the row and is its `rule` in the rejects. `structural` stands for "
        f"{', '.join(f'`{name}`' for name in STRUCTURAL)}."
    )
    rows = [
        (f"`{one.name}`", one.why, one.takes.__name__ if one.takes else "", _default(one.threshold))
        for one in sorted(RULES.values(), key=lambda one: one.name)
    ]
    return f"{intro}\n\n{grid(('rule', 'why a row is dropped', 'threshold', 'default'), rows)}"


def _default(threshold: object) -> str:
    if isinstance(threshold, tuple):
        return f"{len(threshold)} known texts"
    return "" if threshold is None else str(threshold)


def formats() -> str:
    """Every format that a source may name, by kind."""
    from curation.sources.formats import FORMATS

    intro = (
        "# Source formats\n\n`sources.NAME.format` names one of these. Columns are those that a "
        "row must have; a set published in several forms has a line for each."
    )
    rows = [
        (f"`{one.name}`", one.kind, ", ".join(f"`{name}`" for name in layout.required))
        for one in sorted(FORMATS.values(), key=lambda one: (one.kind, one.name))
        for layout in one.layouts
    ]
    return f"{intro}\n\n{grid(('format', 'kind', 'columns'), rows)}"


def checks() -> str:
    """Every SQL check, by the folder it lies in, with the tables whose gates run it."""
    from curation.gates.folders import COMMON, FOLDERS

    runs: dict[str, list[str]] = {}
    for table, folders in FOLDERS.items():
        for folder in folders:
            runs.setdefault(folder, []).append(f"`{table}`")
    intro = (
        "# Checks\n\nA check is a query that returns the rows that break it. A gate runs those of "
        "its table's folders of `curation/gates/checks/`; every gate also asserts that the table "
        "has rows, that its key is unique, and that no required column holds nulls."
    )
    sections = [_checks(name, f"Run on {', '.join(runs[name])}.") for name in sorted(runs)]
    any_table = _checks(COMMON, "Run on every table that is given the views they read.")
    return "\n\n".join([intro, any_table, *sections])


def _checks(folder: str, runs_on: str) -> str:
    from curation.gates.sql_checks import in_folder

    rows = [(f"`{one.name}`", one.sentence) for one in in_folder(folder)]
    return f"## {folder}\n\n{runs_on}\n\n{grid(('check', 'asserts'), rows)}"


def queries() -> str:
    """Every query that is shipped with `prefloop sql`."""
    from curation.audit.sql import shipped

    intro = "# Shipped queries\n\n`prefloop sql -n NAME` runs one on the build in `data/`."
    rows = [(f"`{one.name}`", one.sentence) for one in shipped()]
    return f"{intro}\n\n{grid(('query', 'answers'), rows)}"


PAGES: dict[str, Callable[[], str]] = {
    "commands": command_pages.commands,
    "parameters": parameter_pages.parameters,
    "tables": tables,
    "rules": rules,
    "formats": formats,
    "checks": checks,
    "queries": queries,
}
"""Page -> the function that writes it."""
