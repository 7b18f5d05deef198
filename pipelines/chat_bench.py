"""MT-Bench and Arena-Hard scores from their own judgment files.

Run: prefloop mt-bench model_judgment/gpt-4_single.jsonl
Run: prefloop arena-hard model_judgment/gpt-4-1106-preview/*.jsonl

The paper's figures stand beside ours; they compare only under the same judge.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from curation.audit import paper
from curation.core.errors import UserError
from pipelines import records
from pipelines.core import io


def mt_bench(argv: Sequence[str] | None = None) -> int:
    """Score MT-Bench judgments; the exit code."""
    return _main("mt-bench", ["question_id", "model", "turn"], argv)


def arena_hard(argv: Sequence[str] | None = None) -> int:
    """Score Arena-Hard judgments; the exit code."""
    return _main("arena-hard", ["model", "games"], argv)


def _main(name: str, columns: Sequence[str], argv: Sequence[str] | None) -> int:
    args = _parser(name).parse_args(argv)
    try:
        board = _board(name, _rows(args.judgments, columns), args.seed)
    except UserError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 2
    column = "score" if name == "mt-bench" else "win_rate"
    shown = json.dumps(io.rounded(board), indent=2) if args.json else beside(board, name, column)
    print(shown)
    return 0


def beside(board: Sequence[dict[str, Any]], name: str, column: str) -> str:
    """Our rows as a table, the paper's figures of this benchmark below them in one column."""
    place = paper.CHAT_COLUMNS.index(name)
    theirs = [
        {**dict.fromkeys(board[0]), "model": f"paper: {policy}", column: values[place]}
        for policy, *values in paper.CHAT
    ]
    return records.table([*board, *theirs])


def _rows(paths: Sequence[Path], columns: Sequence[str]) -> list[records.Row]:
    rows = []
    for path in paths:
        found = records.read(path)
        records.need(path, found, columns)
        rows += found
    return rows


def _board(name: str, rows: Sequence[records.Row], seed: int) -> list[dict[str, Any]]:
    from training.bench import judgments

    if name == "mt-bench":
        if any("score" not in row for row in rows):
            raise UserError("a row has no score: give the judgments of single-answer grading")
        board = judgments.mt_bench(rows)
    else:
        board = judgments.arena_hard(rows, seed)
    if not board:
        raise UserError(f"none of {len(rows)} judgments has a verdict")
    return board


def _parser(name: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"prefloop {name}",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("judgments", type=Path, nargs="+", metavar="FILE")
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap interval")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser
