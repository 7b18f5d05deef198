"""Ablations in the form of the paper's table: win rates at equal length and plain, and length."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.claims_bench import markdown
from benchmarks.claims_bench.claims import policy
from benchmarks.claims_bench.experiments import Result
from benchmarks.claims_bench.verdicts import measure

PAPER = "Paper (LC AlpacaEval-2, Arena-Hard, characters)"
ROWS = {
    "length_penalty": (
        ("ours, no penalty", "mix2", "ours: 31.3, 29.1, 656"),
        ("ours, length penalty", "mix2_penalty", "ours (concise, lambda 0.001): 38.1, 22.1, 382"),
    ),
    "reward_model": (
        ("ours, reward model of mix2", "mix2", "ours: 31.3, 29.1, 656"),
        ("ours, reward model of mix1", "mix1", "UltraRM-13B: 20.7, 24.3, 745"),
    ),
}
STAGES = frozenset({"models", "length"})


def table(name: str, results: Sequence[Result]) -> str:
    """Two policies side by side: mean and standard error over seeds."""
    head = ("win rate at equal length", "win rate", "characters", "oracle reward", PAPER)
    rows = []
    for label, arm, paper in ROWS[name]:
        cells = []
        for key in ("length_controlled", "win_rate", "chars", "oracle"):
            one = measure([policy(told["figures"], arm)[key] for told in results], 0.0)
            digits = 3 if key == "oracle" else 1
            error = "" if len(results) == 1 else f" ± {one.se:.{digits}f}"
            cells.append(f"{one.mean:.{digits}f}{error}")
        rows.append([label, *cells, paper])
    return markdown.table([name, *head], rows)
