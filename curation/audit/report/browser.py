"""The sample of pairs that the report shows, with the words that differ marked on both sides."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import duckdb

from curation.audit.connect import rows
from curation.core.statements import statement

SHOWN = 1200  # characters of a text; the rest is counted, not shown


@dataclass(frozen=True)
class Shown:
    """One pair of the browser: where it is from, its figures and its marked texts."""

    pair_id: str
    kind: str
    origin: str
    margin: float | None
    gap: int
    flags: list[str]
    made_by: str
    scores: tuple[float | None, float | None]
    prompt: list[tuple[str, str]]
    chosen: list[tuple[bool, str]]
    rejected: list[tuple[bool, str]]


def sample(con: duckdb.DuckDBPyConnection, seed: int, limit: int) -> list[Shown]:
    """At most `limit` pairs, chosen by hash, in turn from every iteration and every source."""
    return _fetch(con, rows(con, _statement("sample"), {"seed": seed, "shown": limit}))


def sample_iteration(
    con: duckdb.DuckDBPyConnection, iteration: str, seed: int, limit: int
) -> list[Shown]:
    """At most `limit` pairs of one iteration, chosen by the same hash."""
    named = {"iteration": iteration, "seed": seed, "shown": limit}
    return _fetch(con, rows(con, _statement("sample_one"), named))


def _statement(name: str) -> str:
    return statement("curation.audit", f"report/{name}")


def _fetch(con: duckdb.DuckDBPyConnection, chosen: list[dict[str, Any]]) -> list[Shown]:
    """The texts of the chosen pairs, by kind, origin and id."""
    picked: dict[tuple[str, str], list[str]] = {}
    for row in chosen:
        picked.setdefault((row["kind"], row["origin"]), []).append(row["pair_id"])
    shown: list[Shown] = []
    for (kind, origin), ids in sorted(picked.items()):
        query = _statement("sampled" if kind == "iteration" else "labelled")
        found = rows(con, query, {"origin": origin, "pairs": ids})
        found.sort(key=lambda row: str(row["pair_id"]))
        shown.extend(show(kind, origin, row) for row in found)
    return shown


def show(kind: str, origin: str, row: dict[str, Any]) -> Shown:
    """One pair from a row of its texts, figures, flags and made_by."""
    chosen, rejected = _response(row["chosen"]), _response(row["rejected"])
    left, right = marked(cut(chosen), cut(rejected))
    return Shown(
        pair_id=row["pair_id"],
        kind=kind,
        origin=origin,
        margin=row["margin"],
        gap=row["chosen_chars"] - row["rejected_chars"],
        flags=list(row["flags"]),
        made_by=row["made_by"],
        scores=(row["chosen_score"], row["rejected_score"]),
        prompt=[(turn["role"], visible(cut(turn["content"]))) for turn in row["prompt"]],
        chosen=left,
        rejected=right,
    )


def _response(messages: list[dict[str, str]]) -> str:
    return "\n\n".join(message["content"] for message in messages)


def cut(text: str) -> str:
    """A text short enough to show; what is left out is counted at its end."""
    if len(text) <= SHOWN:
        return text
    return f"{text[:SHOWN]} [… {len(text) - SHOWN:,} more characters]"


def visible(text: str) -> str:
    """Control and direction-changing characters written as escapes; line breaks and tabs stay."""
    return "".join(_shown_char(char) for char in text)


def _shown_char(char: str) -> str:
    if char.isprintable() or char in "\n\t":
        return char
    return f"[U+{ord(char):04X}]"


def marked(a: str, b: str) -> tuple[list[tuple[bool, str]], list[tuple[bool, str]]]:
    """Both texts as runs of (differs, text), compared word by word."""
    words_a, words_b = _words(a), _words(b)
    matcher = SequenceMatcher(None, words_a, words_b, autojunk=False)
    left: list[tuple[bool, str]] = []
    right: list[tuple[bool, str]] = []
    for tag, a1, a2, b1, b2 in matcher.get_opcodes():
        left.extend(_run(tag != "equal", words_a[a1:a2]))
        right.extend(_run(tag != "equal", words_b[b1:b2]))
    return left, right


def _words(text: str) -> list[str]:
    return re.findall(r"\s+|\w+|[^\w\s]", text)


def _run(differs: bool, words: list[str]) -> Iterator[tuple[bool, str]]:
    if words:
        yield differs, visible("".join(words))
