"""prefloop rewardbench: a judge on RewardBench, by its sections.

Run: prefloop rewardbench --pairs filtered.parquet --judge data/checkpoints/reward_models/mix2
--metrics rewardbench.json

Each row of the file has prompt (a text or a message list), chosen, rejected (texts) and subset. The
published set is `allenai/reward-bench`, split filtered, 2,985 rows. The paper's own results are
printed beside ours.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from curation.audit import paper
from curation.audit.text import of_rows
from curation.core.errors import UserError
from curation.user_rows.asked import WrongError, answers
from pipelines.core import params as parameters
from pipelines.core import stage
from pipelines.core.arguments import Arguments, reads, writes
from pipelines.core.stage import Stage
from pipelines.shared import records, settings
from pipelines.shared.records import Row

TASK = "measure judges and policies"

Pair = tuple[list[dict[str, str]], str, str]


class Args(Arguments):
    """What the command reads, writes and is told."""

    pairs: Path = reads()
    judge: Path = reads()
    metrics: Path = writes()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return stage.run("rewardbench", Args, body, argv)


def body(run: Stage, args: Args) -> None:
    """Judge every pair; write accuracy by subset, sections and the overall score."""
    params = parameters.load(args.params)
    rows = records.read(args.pairs)
    pairs = read(args.pairs, rows)
    from training.core import environment

    environment.prepare()
    import numpy as np

    from training.bench import rewardbench
    from training.judges import pairwise
    from training.measures import judge_quality

    judge = pairwise.load(args.judge, settings.engine(params))
    chance = judge.ask(pairs).first_wins
    failed = int(np.isnan(chance).sum())
    right = judge_quality.verdicts(np.where(np.isnan(chance), 0.0, chance))  # no verdict: wrong
    found = rewardbench.scores([row["subset"] for row in rows], right)
    run.outputs.json(args.metrics, {"judge": judge.name, "nulls": failed, **found})
    print(of_rows(_table(judge.name, found), digits=1))
    run.summary.rows_in, run.summary.rejected = len(rows), failed
    run.summary.kept = len(rows) - failed
    if found["score"] is not None:
        run.summary.note = f"score {100 * found['score']:.1f}"


def read(path: Path, rows: Sequence[Row]) -> list[Pair]:
    """(prompt messages, chosen, rejected) of every row.

    Raises:
        UserError: a row lacks a column, its prompt is neither a text nor a message list, or a side
            is not one answer.
    """
    records.need(path, rows, ["prompt", "chosen", "rejected", "subset"])
    return [
        (
            _messages(path, number, row["prompt"]),
            _answer(path, number, "chosen", row["chosen"]),
            _answer(path, number, "rejected", row["rejected"]),
        )
        for number, row in enumerate(rows, start=1)
    ]


def _answer(path: Path, number: int, side: str, value: Any) -> str:
    """The text of an answer; of a conversation its last turn's."""
    try:
        texts = answers(value)
    except WrongError as error:
        raise UserError(f"{path}: row {number}: {side}: {error.args[1]}") from error
    if isinstance(texts, str):
        return texts
    if len(texts) == 1:
        return texts[0]
    raise UserError(
        f"{path}: row {number}: {side} is a list of {len(texts)} answers; RewardBench 2 is not "
        "supported, give RewardBench's pairs"
    )


def _messages(path: Path, number: int, prompt: Any) -> list[dict[str, str]]:
    if isinstance(prompt, str):
        return [{"role": "user", "content": prompt}]
    if isinstance(prompt, list) and all(
        isinstance(turn, dict) and {"role", "content"} <= set(turn) for turn in prompt
    ):
        return [{"role": turn["role"], "content": turn["content"]} for turn in prompt]
    raise UserError(f"{path}: row {number}: prompt is neither a text nor a list of messages")


def _table(name: str, found: dict[str, Any]) -> list[dict[str, Any]]:
    """Ours and the paper's rows, in percent."""
    ours = {key: value and 100 * value for key, value in found["sections"].items()}
    theirs = [
        {"judge": judge, **dict(zip(ours, values, strict=True))}
        for judge, *values in paper.REWARD_BENCH
    ]
    return [{"judge": name, **ours}, *theirs]


if __name__ == "__main__":
    sys.exit(main())
