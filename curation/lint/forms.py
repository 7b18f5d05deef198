"""The form of a file, found by its columns, their types and its first texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from curation.core.errors import UserError
from curation.reading.native import fits
from curation.reading.readers import Bad, Row
from curation.sources.aliases import with_aliases
from curation.sources.base import Format, Layout, Options, renames
from curation.sources.formats import FORMATS

_KINDS = ("preference", "sft", "prompts")
_COMMON = (
    *("trl", "strings", "rlhflow", "alpaca_pairs", "sharegpt_pairs", "comparison", "scored_lists"),
    *("alpaca", "messages", "sharegpt", "prompt_column"),
)
"""Of formats that fit alike, the first of these."""
_TRANSCRIPTS = {"hh_rlhf": "chosen", "nectar": "prompt"}


@dataclass(frozen=True)
class Found:
    """A format, and the options by which it reads the file's own names."""

    format: Format
    options: Options


def find_form(seen: Mapping[str, set[str]], first: Sequence[Row | Bad], where: str) -> Found:
    """The format that reads most of the columns.

    Args:
        seen: Columns and the types seen in them.
        first: The file's first rows.

    Raises:
        UserError: no format reads these columns.
    """
    ranked = sorted(_fitting(seen, first), key=lambda one: one[0])
    if not ranked:
        raise UserError(
            f"{where}: no form is known that has the columns {', '.join(sorted(seen)) or 'none'}; "
            "name them in a recipe (sources.NAME.options.columns)"
        )
    return ranked[-1][1]


_Rank = tuple[int, int, int, int]


def _fitting(
    seen: Mapping[str, set[str]], first: Sequence[Row | Bad]
) -> Iterator[tuple[_Rank, Found]]:
    for form in FORMATS.values():
        if form.kind not in _KINDS or not _speaks(form, first):
            continue
        options = with_aliases(form, {}, seen)
        for layout in form.layouts:
            if fits(layout, seen, options):
                yield _rank(form, layout, options, seen), Found(form, options)


def _rank(form: Format, layout: Layout, options: Options, seen: Mapping[str, set[str]]) -> _Rank:
    """Kind, columns read under their own names, columns read, how common the format is."""
    theirs = {ours: name for name, ours in renames(layout, options).items()}
    read = [name for name in layout.columns if theirs.get(name, name) in seen]
    own = sum(name not in theirs for name in read if name in layout.required)
    common = len(_COMMON) - _COMMON.index(form.name) if form.name in _COMMON else 0
    return -_KINDS.index(form.kind), own, len(read), common


def _speaks(form: Format, first: Sequence[Row | Bad]) -> bool:
    """Whether the texts are transcripts, where the format reads those."""
    column = _TRANSCRIPTS.get(form.name)
    if column is None:
        return True
    texts = [row[column] for row in first if isinstance(row, dict) and row.get(column)]
    return any(isinstance(text, str) and "\n\nHuman:" in text for text in texts)
