"""prefloop arena-hard: Arena-Hard win rates from their own judgment files.

Run: prefloop arena-hard model_judgment/gpt-4-1106-preview/*.jsonl

The paper's figures stand beside ours; they compare only under the same judge.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.shared import chat_bench

TASK = "measure judges and policies"


def main(argv: Sequence[str] | None = None) -> int:
    """Score the judgments; the exit code."""
    return chat_bench.score("arena-hard", __doc__, ["model", "games"], argv)
