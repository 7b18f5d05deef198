"""Statistics of every preference set and mix of a build, each with the paper's row beneath it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from curation.audit import paper
from curation.audit.paper import PaperRow

NAMES = (
    "table",
    "set",
    "prompts",
    "pairs",
    "prompt tokens",
    "chosen tokens",
    "rejected tokens",
    "annotator",
    "longer chosen",
    "margin 10/50/90%",
    "turns",
    "duplicates",
)
"""Columns of the table; lengths are means over pairs, in the tokens of the build's tokenizer."""
DROPS = ("table", "set", "rows in", "kept", "dropped by rule")
Metrics = Mapping[str, Any]
Row = tuple[Any, ...]


def of_source(name: str, form: str, metrics: Metrics) -> Iterator[Row]:
    """The row of a standardised set, then the paper's."""
    copies = metrics["rules"].get("duplicate", 0)
    yield _figures("source", name, metrics["figures"], copies)
    yield from _papers(name, form)


def of_mix(name: str, metrics: Metrics, formats: Mapping[str, str]) -> Iterator[Row]:
    """The rows of a mix: all of it, then each member with the paper's row."""
    members = metrics["members"]
    table = f"mix {name}"
    copies = sum(_copies(one["rules"]) for one in members.values())
    yield _figures(table, "all", metrics["figures"]["all"], copies)
    for member, figures in metrics["figures"]["by_source"].items():
        yield _figures(table, member, figures, _copies(members[member]["rules"]))
        yield from _papers(member, formats.get(member, ""))


def waterfall(table: str, name: str, metrics: Metrics) -> Row:
    """What entered, what stayed and what each rule dropped, the greatest first."""
    drops = sorted(metrics["rules"].items(), key=lambda one: (-one[1], one[0]))
    said = ", ".join(f"{rule} {count} ({count / metrics['rows_in']:.1%})" for rule, count in drops)
    return (table, name, metrics["rows_in"], metrics["kept"], said or "nothing")


def _copies(rules: Mapping[str, int]) -> int:
    return rules.get("duplicate", 0) + rules.get("near_duplicate", 0)


def _figures(table: str, name: str, figures: Metrics, copies: int) -> Row:
    lengths = [_rounded(figures[f"mean_{side}_tokens"]) for side in _SIDES]
    deciles = figures["margin_deciles"]
    margins = None if deciles is None else "/".join(f"{deciles[at]:g}" for at in (0, 4, 8))
    return (
        table,
        name,
        figures["prompts"],
        figures["pairs"],
        *lengths,
        ", ".join(figures["annotators"]),
        f"{figures['share_chosen_longer']:.1%}",
        margins,
        _rounded(figures["mean_turns"]),
        copies,
    )


_SIDES = ("prompt", "chosen", "rejected")


def _papers(name: str, form: str) -> Iterator[Row]:
    found: PaperRow | None = paper.row_of(name, form)
    if found is None:
        return
    lengths = (found.prompt_tokens, found.chosen_tokens, found.rejected_tokens)
    sizes = (found.prompts, found.pairs)
    yield ("  paper", found.label, *sizes, *lengths, found.annotator, None, None, None, None)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
