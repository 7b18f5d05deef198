"""prefloop alpaca-eval: AlpacaEval win rates, plain and at equal length, from its files.

Run: prefloop alpaca-eval annotations.json [--baseline model_outputs.json] [--csv leaderboard.csv]

The annotations are AlpacaEval's own (instruction, output_1 and generator_1 of the baseline,
output_2, generator_2, annotator, preference) or one answer per row (instruction, generator, output,
preference), as JSON, JSON lines, CSV or Parquet. A preference is 1 where the baseline is better and
2 where the model is; a missing one is counted and left out. The baseline's lengths are those of its
answers in the file, or of --baseline (instruction, output); without either, an instruction's usual
length is read from the answers of at least 3 models and scaled to --baseline-chars.

What is known of a judge's taste for length is taken only if the file's annotator is
weighted_alpaca_eval_gpt4_turbo, AlpacaEval 2's own; or, with --judge-taste gpt4. For any other the
rows alone tell, and one model's rows tell little: hard instructions look like a taste for length.
Where rows of fewer than 3 models name no annotator and show that judge's taste, it is taken for it,
and the output says so. With --ingredients
df_gamed.csv (tatsu-lab/alpaca_eval on the Hub) each model is fitted just as the original does.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.core.outputs import atomic, rounded
from pipelines.shared import alpaca_files, asking, chat_bench

TASK = "measure judges and policies"

if TYPE_CHECKING:
    from training.bench.annotated import Annotation


def main(argv: Sequence[str] | None = None) -> int:
    """Read, compute, print; the exit code."""
    args = _parser().parse_args(argv)
    return asking.guard("alpaca-eval", lambda: _body(args))


def _body(args: argparse.Namespace) -> None:
    found = alpaca_files.load(args.annotations, args.baseline, args.baseline_name)
    board = _leaderboard(found.rows, found.judge, args)
    if args.csv is not None:
        _write_csv(args.csv, board)
    print(json.dumps(rounded(board), indent=2) if args.json else _table(board))
    for line in [*_said(board, found.judge), *_missed(found.missing)]:
        print(f"alpaca-eval: {line}", file=sys.stderr)


def _table(board: Sequence[dict[str, Any]]) -> str:
    plain = [{name: row[name] for name in row if name != "length_control"} for row in board]
    return chat_bench.beside(plain, "alpaca-eval", "length_controlled_winrate")


def _said(board: Sequence[dict[str, Any]], judge: str | None) -> list[str]:
    """What was fitted on what, and what that is worth."""
    from training.measures.length_control import MIN_SHARED

    fitted = [row["length_control"] for row in board if row["length_control"] is not None]
    if not fitted:
        return ["no length control: give the baseline's answers with --baseline"]
    first = fitted[0]
    low, high = min(row["slope"] for row in fitted), max(row["slope"] for row in fitted)
    slopes = f"slope {low:.2f}" if len(fitted) == 1 else f"slopes {low:.2f} to {high:.2f}"
    lines = [
        f"length control: {first['fitted']}: {first['rows']} rows of {first['models']} "
        f"model{'s' if first['models'] > 1 else ''}, {slopes}, spread of the difficulties "
        f"{first['difficulty_spread']:.2f}; the baseline's lengths are those "
        f"{first['baseline_lengths']}",
        f"judge {judge or 'not named'}, its taste for length: {first['taste']}",
    ]
    if first["taste"] == "nothing assumed" and first["models"] < MIN_SHARED:
        lines.append(
            "with so few models, instructions that are hard for them count as a taste for length; "
            "if the judge is AlpacaEval 2's weighted GPT-4 turbo, say --judge-taste gpt4"
        )
    return lines


def _missed(missing: int) -> list[str]:
    return [f"{missing} rows have no preference and are left out"] if missing else []


def _leaderboard(
    rows: Sequence[Annotation], judge: str | None, args: argparse.Namespace
) -> list[dict[str, Any]]:
    from training.bench import alpaca_eval
    from training.measures import length_control

    tastes = {"gpt4": length_control.GPT4_TURBO, "unknown": length_control.UNKNOWN, None: None}
    known = tastes[args.judge_taste]
    if judge is not None and args.judge_taste is None:
        known = length_control.KNOWN_JUDGES.get(judge, length_control.UNKNOWN)
    baseline = alpaca_eval.Baseline(args.baseline_name, args.baseline_chars)
    files = None if args.ingredients is None else alpaca_files.ingredients(args.ingredients)
    return alpaca_eval.leaderboard(rows, known, baseline, files)


def _write_csv(path: Path, board: Sequence[dict[str, Any]]) -> None:
    from training.bench.alpaca_eval import COLUMNS

    with atomic(path) as temp, temp.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, fieldnames=COLUMNS, extrasaction="ignore")
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
        help="what is known beforehand of the judge's taste for length, whatever the file says",
    )
    parser.add_argument(
        "--ingredients", type=Path, metavar="FILE", help="the original's own df_gamed.csv"
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="also write a leaderboard file")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
