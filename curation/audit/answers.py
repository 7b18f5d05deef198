"""What DuckDB answers as a frame: exact, in types that every reader here has."""

from __future__ import annotations

import re

import duckdb
import polars as pl

from curation.core.errors import UserError

_WHOLE = re.compile(r"(U?HUGEINT|DECIMAL\(\d+,0\)|BIGNUM)")
_KNOWN = re.compile(
    r"(BOOLEAN|U?(TINY|SMALL|BIG)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(\d+,\d+\)|VARCHAR|\"NULL\")"
)
_NESTED = re.compile(
    r"(DATE|TIME|INTERVAL|UUID|BIT|ENUM|UNION|HUGEINT|BIGNUM|BLOB|MAP|GEOMETRY|VARIANT|DECIMAL)"
)
_BATCH = 10_000  # rows


def frame(asked: duckdb.DuckDBPyRelation, most: int | None = None) -> pl.DataFrame:
    """The rows of a query, in order.

    Integers of 128 bits, as sums and counts are, become 64 bits where all fit, else text. Times,
    blobs and what else frames lack, or have for fewer values than DuckDB, become DuckDB's text.

    Raises:
        UserError: they take more than `most` bytes.
    """
    names, kinds = asked.columns, [str(kind) for kind in asked.types]
    if len(set(names)) == len(names) and not all(map(_plain, kinds)):
        picked = [_column(name, kind) for name, kind in zip(names, kinds, strict=True)]
        asked = asked.project(", ".join(picked))
    whole = _bounded(asked, most) if most else asked.pl()
    huge = [name for name, kind in zip(names, kinds, strict=True) if _WHOLE.fullmatch(kind)]
    return whole.with_columns(_integers(whole[name]) for name in huge if name in whole.columns)


def _bounded(asked: duckdb.DuckDBPyRelation, most: int) -> pl.DataFrame:
    """The rows batch by batch, so that too many are found before all are in memory."""
    reader = asked.to_arrow_reader(_BATCH)
    batches, held = [], 0
    for batch in reader:
        held += batch.nbytes
        if held > most:
            raise UserError(
                f"query: its answer is larger than {most:,} bytes; ask for less, "
                "or write it to a file with prefloop sql --out"
            )
        batches.append(batch)
    import pyarrow as pa

    found = pl.from_arrow(pa.Table.from_batches(batches, schema=reader.schema))
    assert isinstance(found, pl.DataFrame)
    return found


def _plain(kind: str) -> bool:
    return bool(_KNOWN.fullmatch(kind)) and not _WHOLE.fullmatch(kind)


def _column(name: str, kind: str) -> str:
    quoted = '"' + name.replace('"', '""') + '"'
    nested = kind.endswith("]") or kind.startswith("STRUCT")
    if _plain(kind) or (nested and not _NESTED.search(re.sub(r'"[^"]*"', "", kind))):
        return quoted
    return f"{quoted}::varchar as {quoted}"


def _integers(texts: pl.Series) -> pl.Series:
    """Integers written as text, as such where all fit into 64 bits."""
    if texts.dtype != pl.String:
        return texts.cast(pl.Int64) if texts.dtype == pl.Decimal else texts
    numbers = texts.cast(pl.Int64, strict=False)
    return numbers if numbers.null_count() == texts.null_count() else texts
