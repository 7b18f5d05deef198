"""Scores of chat benchmarks from their own judgment files, beside the paper's."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from curation.audit import paper
from curation.audit.text import of_rows
from curation.core.errors import UserError
from pipelines.core.outputs import rounded
from pipelines.shared import asking, records


def score(name: str, doc: str | None, columns: Sequence[str], argv: Sequence[str] | None) -> int:
    """Read judgments, score them, print; the exit code.

    Args:
        name: the command: mt-bench or arena-hard.
        doc: its help.
        columns: what every row must have.
    """
    args = _parser(name, doc).parse_args(argv)
    return asking.guard(name, lambda: _body(name, columns, args))


def _body(name: str, columns: Sequence[str], args: argparse.Namespace) -> None:
    board = _board(name, _rows(args.judgments, columns), args.seed)
    column = "score" if name == "mt-bench" else "win_rate"
    print(json.dumps(rounded(board), indent=2) if args.json else beside(board, name, column))


def beside(board: Sequence[dict[str, Any]], name: str, column: str) -> str:
    """Our rows as a table, the paper's figures of this benchmark below them in one column."""
    place = paper.CHAT_COLUMNS.index(name)
    theirs = [
        {**dict.fromkeys(board[0]), "model": f"paper: {policy}", column: values[place]}
        for policy, *values in paper.CHAT
    ]
    return of_rows([*board, *theirs], digits=2)


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


def _parser(name: str, doc: str | None) -> argparse.ArgumentParser:
    parser = asking.parser(name, doc, build=False)
    parser.add_argument("judgments", type=Path, nargs="+", metavar="FILE")
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap interval")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser
