"""Length-controlled win rates beside AlpacaEval's leaderboard, each model alone and together.

Run: python -m benchmarks.alpaca_eval annotations_15_models.parquet [--baseline model_outputs.json]
or:  python -m benchmarks.alpaca_eval folder/of/annotations --board leaderboard.csv

A file of one answer per row, or a folder with each model's own annotations.json under its name.
--baseline holds the answers of gpt4_1106_preview; without it, and without output_1 in the rows, an
instruction's usual length stands in. --board is the public leaderboard's CSV (its first column the
model); without it, its figures for the 15 models. The judge is AlpacaEval 2's weighted GPT-4 turbo;
`unknown` fits the same rows together with nothing assumed of the judge.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy import stats

from curation.audit.text import of_rows
from pipelines.shared import alpaca_files
from training.bench import alpaca_eval
from training.bench.alpaca_eval import BASELINE, BASELINE_CHARS
from training.bench.annotated import Annotation
from training.measures import length_control
from training.measures.integrated import Known
from training.measures.length_control import GPT4_TURBO, UNKNOWN

# length_controlled_winrate of the public leaderboard (weighted_alpaca_eval_gpt4_turbo); the
# fifteenth model, text_davinci_003, is not on it.
BOARD = {
    "FuseChat-Llama-3.1-8B-Instruct": 65.392217,
    "claude-2": 28.155196,
    "Mixtral-8x7B-Instruct-v0.1_concise": 22.962609,
    "gpt-3.5-turbo-0301": 18.093242,
    "gpt35_turbo_instruct": 17.727801,
    "humpback-llama2-70b": 16.249164,
    "vicuna-13b-v1.5-togetherai": 11.685357,
    "wizardlm-13b": 9.828151,
    "nous-hermes-13b": 9.717863,
    "openbuddy-falcon-40b-v9": 8.988936,
    "alpaca-farm-ppo-sim-gpt4-20k": 7.121808,
    "alpaca-7b": 5.875487,
    "falcon-40b-instruct": 5.607533,
    "phi-2": 4.398682,
}
# Told to win by other means than answers (gpt4_gamed repeats an attack, NullModel too).
ATTACKS = ("NullModel", "gpt4_gamed")


def main(argv: Sequence[str] | None = None) -> None:
    """Read, fit both ways, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("annotations", type=Path)
    parser.add_argument("--baseline", type=Path)
    parser.add_argument("--board", type=Path)
    args = parser.parse_args(argv)
    rows = _with_lengths(_rows(args.annotations, args.baseline))
    board = BOARD if args.board is None else _board(args.board)
    models = sorted({row.model for row in rows} - {BASELINE, *ATTACKS})
    kept = [row for row in rows if row.model in models]
    alone: dict[str, float] = {}
    for model in models:
        alone |= _controlled([row for row in kept if row.model == model], GPT4_TURBO)
    together = _controlled(kept, GPT4_TURBO)
    unknown = _controlled(kept, UNKNOWN)
    plain = {model: _plain(kept, model) for model in models}
    ways = {"plain": plain, "alone": alone, "together": together, "unknown": unknown}
    order = sorted(models, key=lambda model: -board.get(model, 0.0))
    table = [
        {"model": model, "board": board.get(model), **{way: ways[way][model] for way in ways}}
        for model in order
    ]
    print(of_rows(table, digits=2))
    known = [model for model in order if model in board]
    print(of_rows([_summary(way, ways[way], board, known) for way in ways], digits=4))


def _rows(path: Path, baseline: Path | None) -> list[Annotation]:
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    rows: list[Annotation] = []
    for file in files:
        rows += alpaca_files.load(file, baseline, BASELINE).rows
    return rows


def _with_lengths(rows: list[Annotation]) -> list[Annotation]:
    """The rows with a baseline's length each: a model alone has no others to read it from."""
    if all(row.baseline_chars is not None for row in rows):
        return rows
    _, item = np.unique([row.instruction for row in rows], return_inverse=True)
    chars = np.array([row.chars for row in rows], dtype=np.float64)
    usual = length_control.usual_length(item, chars, BASELINE_CHARS)
    return [replace(row, baseline_chars=round(u)) for row, u in zip(rows, usual, strict=True)]


def _board(path: Path) -> dict[str, float]:
    with path.open(newline="", encoding="utf-8") as handle:
        rows = list(csv.reader(handle))
    place = rows[0].index("length_controlled_winrate")
    return {row[0]: float(row[place]) for row in rows[1:] if row[place]}


def _controlled(rows: list[Annotation], known: Known) -> dict[str, float]:
    board = alpaca_eval.leaderboard(rows, known)
    return {row["model"]: row["length_controlled_winrate"] for row in board}


def _plain(rows: list[Annotation], model: str) -> float:
    return 100 * float(np.mean([row.preference - 1 for row in rows if row.model == model]))


def _summary(
    way: str, found: dict[str, float], board: dict[str, float], models: list[str]
) -> dict[str, object]:
    off = np.array([found[model] - board[model] for model in models])
    ranks = stats.spearmanr([found[m] for m in models], [board[m] for m in models])
    return {
        "way": way,
        "models": len(models),
        "bias": float(off.mean()),
        "mean error": float(np.abs(off).mean()),
        "largest": float(np.abs(off).max()),
        "Spearman": float(ranks.statistic),
    }


if __name__ == "__main__":
    main()
