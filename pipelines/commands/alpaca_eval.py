"""prefloop alpaca-eval: AlpacaEval win rates, plain and at equal length, from its files.

Run: prefloop alpaca-eval annotations.json [--baseline model_outputs.json] [--csv leaderboard.csv]

The annotations are AlpacaEval's own (instruction, output_1 and generator_1 of the baseline,
output_2, generator_2, preference) or one answer per row (instruction, generator, output,
preference), as JSON, JSON lines, CSV or Parquet. A preference is 1 where the baseline is better and
2 where the model is; a missing one is counted and left out. Where the baseline's answers are not in
the file, --baseline gives them (instruction, output); without either, an instruction's usual length
is read from the answers of at least 3 models and scaled to --baseline-chars.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curation.core.errors import UserError
from pipelines.core.outputs import atomic, rounded
from pipelines.shared import asking, chat_bench, records
from pipelines.shared.records import Row

TASK = "measure judges and policies"

if TYPE_CHECKING:
    from training.bench.alpaca_eval import Annotation


def main(argv: Sequence[str] | None = None) -> int:
    """Read, compute, print; the exit code."""
    args = _parser().parse_args(argv)
    return asking.guard("alpaca-eval", lambda: _body(args))


def _body(args: argparse.Namespace) -> None:
    rows, missing = read(args.annotations, args.baseline)
    board = _leaderboard(rows, args)
    if args.csv is not None:
        _write_csv(args.csv, board)
    column = "length_controlled_winrate"
    beside = chat_bench.beside(board, "alpaca-eval", column)
    print(json.dumps(rounded(board), indent=2) if args.json else beside)
    if missing:
        print(f"alpaca-eval: {missing} rows have no preference and are left out", file=sys.stderr)
    if any(row["length_controlled_winrate"] is None for row in board):
        print(
            "alpaca-eval: no length control: give the baseline's answers with --baseline",
            file=sys.stderr,
        )


def read(path: Path, baseline: Path | None) -> tuple[list[Annotation], int]:
    """Annotations of a file, and how many of its rows have no preference.

    Raises:
        UserError: a column is missing, a preference is out of range, a baseline answer is missing.
    """
    from training.bench.alpaca_eval import Annotation

    rows = records.read(path)
    native = "output_2" in rows[0]
    name, said = ("generator_2", "output_2") if native else ("generator", "output")
    records.need(path, rows, ["instruction", name, said])
    other = None if baseline is None else _baseline(baseline)
    found, missing = [], 0
    for number, row in enumerate(rows, start=1):
        preference = _preference(path, number, row)
        if preference is None:
            missing += 1
            continue
        chars = _baseline_chars(path, row, other)
        found.append(Annotation(row[name], row["instruction"], preference, len(row[said]), chars))
    if not found:
        raise UserError(f"{path}: no row has a preference")
    return found, missing


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


def _leaderboard(rows: list[Annotation], args: argparse.Namespace) -> list[dict[str, Any]]:
    from training.bench import alpaca_eval
    from training.measures import length_control

    known = length_control.GPT4_TURBO if args.judge_taste == "gpt4" else length_control.UNKNOWN
    return alpaca_eval.leaderboard(rows, args.seed, known, args.baseline_chars, args.baseline_name)


def _write_csv(path: Path, board: Sequence[dict[str, Any]]) -> None:
    with atomic(path) as temp, temp.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, fieldnames=list(board[0]))
        writer.writeheader()
        writer.writerows(rounded(list(board)))


def _parser() -> argparse.ArgumentParser:
    parser = asking.parser("alpaca-eval", __doc__, build=False)
    parser.add_argument("annotations", type=Path, metavar="ANNOTATIONS")
    parser.add_argument("--baseline", type=Path, metavar="FILE", help="the baseline's answers")
    parser.add_argument(
        "--baseline-chars",
        type=float,
        default=2049.0,
        metavar="N",
        help="mean length of the baseline's answers, where they are not given",
    )
    parser.add_argument("--baseline-name", default="gpt4_1106_preview", metavar="MODEL")
    parser.add_argument(
        "--judge-taste",
        choices=["gpt4", "unknown"],
        default="gpt4",
        help="what is known beforehand of the judge's taste for length",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap standard errors")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="also write a leaderboard file")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
