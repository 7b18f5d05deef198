"""Secrets and e-mail addresses in what is about to be published."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

EXAMPLES = 3  # shown of each kind of finding in each column, by key

# Shapes their issuers document: a fixed prefix and a length, so that prose does not match.
SHAPES: dict[str, str] = {
    "hf_token": r"\bhf_[A-Za-z0-9]{30,}\b",
    "openai_key": r"\bsk-(?:proj-|svcacct-)?[A-Za-z0-9_-]{20,}T3BlbkFJ[A-Za-z0-9_-]{20,}\b",
    "anthropic_key": r"\bsk-ant-[a-z0-9]+-[A-Za-z0-9_-]{60,}",
    "github_token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60,})\b",
    "gitlab_token": r"\bglpat-[A-Za-z0-9_-]{20,}\b",
    "aws_key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "google_key": r"\bAIza[0-9A-Za-z_-]{35}\b",
    "slack_token": r"\bxox[abeoprs]-[0-9A-Za-z-]{20,}\b",
    "stripe_key": r"\b[rs]k_live_[0-9A-Za-z]{20,}\b",
    "npm_token": r"\bnpm_[A-Za-z0-9]{36}\b",
    "pypi_token": r"\bpypi-AgE[A-Za-z0-9_-]{50,}",
    "sendgrid_key": r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}\b",
    "json_web_token": r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
    "private_key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----",
    "url_password": r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{1,64}:[^\s/:@]{3,64}@[a-z0-9.-]+\b",
    "email": r"\b[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b",
}
# Addresses that reach nobody (RFC 2606).
_RESERVED = (
    r"(?i)@(?:[a-z0-9-]+\.)*"
    r"(?:example\.(?:com|org|net|edu)|[a-z0-9-]+\.(?:example|test|invalid|localhost))$"
)
_NOBODY = re.compile(_RESERVED)


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
        hits = [hit for hit in hits if kind != "email" or not _NOBODY.search(hit)]
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
    found = text.str.extract_all(SHAPES[kind])
    if kind == "email":
        return found.list.eval(pl.element().filter(~pl.element().str.contains(_RESERVED)))
    return found


def _examples(rows: pl.LazyFrame, key: str, text: pl.Expr, kind: str) -> tuple[str, ...]:
    hits = rows.select(pl.col(key), _matches(text, kind).alias("hits"))
    first = hits.filter(pl.col("hits").list.len() > 0).head(EXAMPLES).collect(engine="streaming")
    return tuple(f"{masked(hit[0], kind)} in {row}" for row, hit in first.iter_rows())
