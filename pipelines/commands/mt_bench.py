"""prefloop mt-bench: MT-Bench scores from their own judgment files.

Run: prefloop mt-bench model_judgment/gpt-4_single.jsonl

The paper's figures stand beside ours; they compare only under the same judge.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.shared import chat_bench

TASK = "measure judges and policies"


def main(argv: Sequence[str] | None = None) -> int:
    """Score the judgments; the exit code."""
    return chat_bench.score("mt-bench", __doc__, ["question_id", "model", "turn"], argv)
