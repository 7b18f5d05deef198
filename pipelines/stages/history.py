"""Grow the training data of one iteration: its policy's history and its own pairs.

Run: python -m pipelines.stages.history --iteration iter2 \\
    --previous data/iterations/iter1/history.parquet --pairs data/iterations/iter2/pairs.parquet \\
    --table data/iterations/iter2/history.parquet \\
    --rejects data/iterations/iter2/history_rejects.parquet \\
    --metrics data/iterations/iter2/history.json
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from curation.core import schema
from curation.core.errors import UserError
from curation.pairing.history import grow, lineage
from pipelines.core import io, stage
from pipelines.core.arguments import Arguments, foreach, reads, writes
from pipelines.core.params import load
from pipelines.core.stage import Stage
from pipelines.shared.keeping import keep_of


class Args(Arguments):
    """What the stage reads, writes and is told."""

    previous: Path = reads()
    pairs: Path = reads()
    table: Path = writes()
    rejects: Path = writes()
    metrics: Path = writes()
    iteration: str = foreach()


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the flags, grow, write; the exit code."""
    return stage.run("history", Args, body, argv)


def body(run: Stage, args: Args) -> None:
    """Read the previous history and the new pairs; write history, rejects and metrics."""
    params = load(args.params)
    if args.iteration not in params.iterations:
        raise UserError(f"{args.params}: iterations: none is named {args.iteration}")
    policies = {name: iteration.policy for name, iteration in params.iterations.items()}
    pairs = io.read(args.pairs, schema.PAIRS)
    if pairs.is_empty():
        raise UserError(f"{args.pairs}: holds no pair; run the pair stage of {args.iteration}")
    grown = grow(
        io.read(args.previous, schema.HISTORY),
        pairs,
        lineage(args.iteration, policies),
        keep_of(params),
    )
    run.outputs.table(args.table, schema.HISTORY, grown.history)
    run.outputs.table(args.rejects, schema.REJECTS, grown.rejects)
    run.outputs.json(args.metrics, grown.metrics)
    run.summary.rows_in = grown.metrics["rows_in"]
    run.summary.kept = grown.history.height
    run.summary.rejected = grown.rejects.height
    origins = grown.metrics["origins"].items()
    run.summary.note = "by origin " + ", ".join(f"{name} {count}" for name, count in origins)


if __name__ == "__main__":
    sys.exit(main())
