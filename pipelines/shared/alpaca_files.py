"""AlpacaEval's files: annotations of a judge, a baseline's answers, what the original fits with."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from curation.core.errors import UserError
from pipelines.shared import records
from pipelines.shared.records import Row

if TYPE_CHECKING:
    from training.bench.annotated import Annotation
    from training.bench.original_glm import Ingredients


@dataclass(frozen=True)
class Found:
    """A file's judged answers, how many rows have no preference, and the judge that they name."""

    rows: list[Annotation]
    missing: int
    judge: str | None


def load(path: Path, baseline: Path | None, baseline_name: str) -> Found:
    """Annotations of a file, native or of one answer per row.

    Args:
        baseline: answers whose lengths are taken in the place of the file's own of the baseline.
        baseline_name: what the baseline is called where its answers stand among the others.

    Raises:
        UserError: a column is missing, a preference is out of range, a baseline answer is missing,
            or several judges are named.
    """
    from training.bench.annotated import Annotation

    rows = records.read(path)
    native = "output_2" in rows[0]
    name, said = ("generator_2", "output_2") if native else ("generator", "output")
    records.need(path, rows, ["instruction", name, said])
    other = _own_baseline(rows, baseline_name) if baseline is None else _baseline(baseline)
    found, missing = [], 0
    places: Counter[str] = Counter()
    for number, row in enumerate(rows, start=1):
        preference, place = _preference(path, number, row), places[row[name]]
        places[row[name]] += 1
        if preference is None:
            missing += 1
            continue
        chars = _baseline_chars(path, row, other)
        found.append(
            Annotation(row[name], row["instruction"], preference, len(row[said]), chars, place)
        )
    if not found:
        raise UserError(f"{path}: no row has a preference")
    return Found(found, missing, _judge(path, rows))


def _own_baseline(rows: Sequence[Row], name: str) -> dict[str, int] | None:
    """Lengths of the baseline's answers among the file's own rows, if all are there."""
    own = {row["instruction"]: len(row["output"]) for row in rows if row.get("generator") == name}
    return own if own and all(row["instruction"] in own for row in rows) else None


def _preference(path: Path, number: int, row: Row) -> float | None:
    """The preference in [1, 2]; 0 is AlpacaEval's older way to write a draw."""
    given = row.get("preference")
    if given is None or given == "":
        return None
    try:
        value = float(given)
    except (TypeError, ValueError):
        value = math.nan
    if value == 0.0:
        return 1.5
    if math.isnan(value) and not isinstance(given, str):
        return None
    if not 1.0 <= value <= 2.0:
        raise UserError(f"{path}: row {number}: preference {given!r} is not between 1 and 2")
    return value


def _baseline(path: Path) -> dict[str, int]:
    rows = records.read(path)
    records.need(path, rows, ["instruction", "output"])
    return {row["instruction"]: len(row["output"]) for row in rows}


def _baseline_chars(path: Path, row: Row, other: dict[str, int] | None) -> int | None:
    if other is None:
        said = row.get("output_1")
        return None if said is None else len(said)
    if row["instruction"] not in other:
        raise UserError(
            f"{path}: the baseline did not answer {row['instruction'][:60]!r}; "
            "give --baseline the answers to the same instructions"
        )
    return other[row["instruction"]]


def _judge(path: Path, rows: Sequence[Row]) -> str | None:
    names = {str(row["annotator"]) for row in rows if row.get("annotator")}
    if len(names) > 1:
        both = " and ".join(sorted(names)[:2])
        raise UserError(f"{path}: judged by {both}; give one judge's rows at a time")
    return names.pop() if names else None


def ingredients(path: Path) -> Ingredients:
    """AlpacaEval's df_gamed.csv.

    Raises:
        UserError: the file is another.
    """
    import numpy as np

    from training.bench.original_glm import Ingredients

    rows = records.read(path)
    names = ["index", "instruction_difficulty", "std_delta_len", "preference"]
    records.need(path, rows, names)
    try:
        table = np.array([[float(row[name]) for name in names] for row in rows])
    except ValueError as error:
        raise UserError(f"{path}: {error}; it is not AlpacaEval's df_gamed.csv") from error
    index, first = np.unique(table[:, 0].astype(int), return_index=True)
    if index[-1] != len(index) - 1:
        raise UserError(f"{path}: index: {len(index)} instructions, the last is {index[-1]}")
    return Ingredients(path.name, table[first, 1], table[:, 1], table[:, 2], table[:, 3])
