"""What `prefloop lint` reads: files of a path, a folder or the Hub, benchmarks, and its recipe."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl
import yaml

from curation.core import ids, schema
from curation.core.errors import UserError
from curation.lint.file import peeked, read
from curation.lint.findings import report
from curation.lint.forms import Found, find_form
from curation.lint.report import Report
from pipelines.shared import records, source_files

_NAMES = (
    ".jsonl",
    ".json",
    ".ndjson",
    ".csv",
    ".tsv",
    ".parquet",
    ".arrow",
    ".zip",
    ".tar",
    ".txt",
)
_NOTES = ("readme", "license", "dataset_info", "dataset_dict", "state", "metadata", "config")


def reports(given: str, folder: Path, benchmarks: pl.DataFrame | None) -> list[Report]:
    """One report for the files of each form.

    Raises:
        UserError: a file is missing or broken, or of no known form.
    """
    forms: dict[str, tuple[Found, list[Path]]] = {}
    for path in _paths(given):
        kinds, held = peeked(path, folder)
        form = find_form(kinds, held, str(path))
        forms.setdefault(f"{form.format.name} {form.options}", (form, []))[1].append(path)
    return [
        report(tuple(map(str, paths)), form, read(paths, form, folder, benchmarks))
        for form, paths in forms.values()
    ]


def _paths(given: str) -> list[Path]:
    if given.startswith("hf://"):
        return source_files.downloaded(given)
    path = Path(given)
    if not path.is_dir():
        return source_files.local(given, "FILE")
    if (path / "state.json").is_file() or (path / "dataset_dict.json").is_file():
        return source_files.local(given, "FILE")
    found = sorted(one for one in path.rglob("*") if one.is_file() and _holds_rows(one))
    if not found:
        raise UserError(f"{given}: the folder holds no file of rows ({', '.join(_NAMES)})")
    return found


def _holds_rows(path: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.parts[-2:])
    note = path.name.lower().startswith(_NOTES)
    return not hidden and not note and any(one in _NAMES for one in path.suffixes[-2:])


def benchmarks(given: Sequence[str]) -> pl.DataFrame | None:
    """The items of the named benchmarks, as rows of the benchmark table; None without any.

    Raises:
        UserError: not of the form NAME=FILE[:COLUMN], or the column holds no text.
    """
    frames = []
    for one in given:
        name, _, rest = one.partition("=")
        file, _, column = rest.partition(":")
        if not name or not file:
            raise UserError(f"--benchmark {one}: give NAME=FILE or NAME=FILE:COLUMN")
        rows = records.read(Path(file))
        texts = [row.get(column or "text") for row in rows]
        if not any(isinstance(text, str) for text in texts):
            told = ", ".join(rows[0])
            raise UserError(
                f"--benchmark {one}: no text in column {column or 'text'}; it has {told}"
            )
        text = pl.DataFrame({"text": texts}, schema={"text": pl.String}, strict=False).drop_nulls()
        item = ids.digest(pl.concat_str(pl.lit(f"{name}\x1f"), "text"))
        made = text.with_columns(item_id=item, benchmark=pl.lit(name), source_row=item)
        frames.append(made.unique("item_id", maintain_order=True).select(schema.BENCHMARK.names))
    return pl.concat(frames) if frames else None


def recipe(name: str, found: Sequence[Report]) -> str:
    """A recipe that extends the sample one with the sources of these reports."""
    numbered = {f"{name}_{place}": one.source for place, one in enumerate(found, 1)}
    sources = {name: found[0].source} if len(found) == 1 else numbered
    whole = {"extends": "sample", "sources": sources}
    return yaml.safe_dump(whole, sort_keys=False, allow_unicode=True, default_flow_style=None)
