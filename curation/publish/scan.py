"""Secrets and personal data in what is about to be published; `kinds` says what those are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from curation.rules.kinds import SHAPES, settled

EXAMPLES = 3  # shown of each kind of finding in each column, by key


@dataclass(frozen=True)
class Finding:
    """Matches of one shape in one column: how many, and a few of them, masked, with their rows."""

    kind: str
    where: str
    count: int
    examples: tuple[str, ...]

    def line(self) -> str:
        """The finding in one line."""
        return f"{self.kind}: {self.count} in {self.where}, such as {'; '.join(self.examples)}"


def scan_table(file: Path, key: str, name: str) -> list[Finding]:
    """Scan every text of a Parquet file, in one streaming pass.

    Args:
        file: the table; columns of text, of lists of text and of messages are read.
        key: the column that names a row.
        name: what to call the table in a finding.
    """
    rows = pl.scan_parquet(file)
    texts = _texts(rows.collect_schema(), key)
    if not texts:
        return []
    counts = rows.select(
        _matches(text, kind).list.len().sum().alias(f"{column} {kind}")
        for column, text in texts.items()
        for kind in SHAPES
    )
    found = counts.collect(engine="streaming").row(0, named=True)
    made = []
    for label, count in found.items():
        if count:
            column, kind = label.split(" ")
            examples = _examples(rows, key, texts[column], kind)
            made.append(Finding(kind, f"{name}.{column}", int(count), examples))
    return made


def scan_text(text: str, name: str) -> list[Finding]:
    """Scan one text file: a card, a parameters file, a tokenizer's configuration."""
    made = []
    for kind, shape in SHAPES.items():
        hits = [hit.group(0) for hit in re.finditer(shape, text)]
        hits = [hit for hit in hits if settled(kind, hit)]
        if hits:
            shown = tuple(masked(hit, kind) for hit in hits[:EXAMPLES])
            made.append(Finding(kind, name, len(hits), shown))
    return made


def refused(findings: Iterable[Finding], allowed: Iterable[str]) -> list[Finding]:
    """The findings whose kind a person has not allowed by name (or by `all`)."""
    names = set(allowed)
    return [one for one in findings if not names & {"all", one.kind}]


def masked(text: str, kind: str) -> str:
    """A finding that can be shown: its first characters, never the whole."""
    if kind == "email":
        user, _, domain = text.partition("@")
        return f"{user[0]}…@{domain}"
    if kind == "url_password":
        return f"{text.partition('://')[0]}://…@{text.rpartition('@')[2]}"
    return f"{text[:6]}… ({len(text)} characters)"


def _texts(schema: Mapping[str, pl.DataType], key: str) -> dict[str, pl.Expr]:
    """One expression per column that can hold free text: all its texts, joined by newlines."""
    made = {}
    for name, dtype in schema.items():
        if name == key:
            continue
        if dtype == pl.String:
            made[name] = pl.col(name)
        elif dtype == pl.List(pl.String):
            made[name] = pl.col(name).list.join("\n", ignore_nulls=True)
        elif isinstance(dtype, pl.List) and isinstance(dtype.inner, pl.Struct):
            content = pl.element().struct.field("content")
            made[name] = pl.col(name).list.eval(content).list.join("\n", ignore_nulls=True)
    return made


def _matches(text: pl.Expr, kind: str) -> pl.Expr:
    def only(hits: pl.Series) -> pl.Series:
        return pl.Series([settled(kind, hit) for hit in hits], dtype=pl.Boolean)

    kept = pl.element().filter(pl.element().map_batches(only, return_dtype=pl.Boolean))
    return text.str.extract_all(SHAPES[kind]).list.eval(kept)


def _examples(rows: pl.LazyFrame, key: str, text: pl.Expr, kind: str) -> tuple[str, ...]:
    hits = rows.select(pl.col(key), _matches(text, kind).alias("hits"))
    first = hits.filter(pl.col("hits").list.len() > 0).head(EXAMPLES).collect(engine="streaming")
    return tuple(f"{masked(hit[0], kind)} in {row}" for row, hit in first.iter_rows())
