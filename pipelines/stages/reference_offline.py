"""Log-probabilities of D_off under the SFT policy; no rows, and no model, when D_off is empty.

Run: python -m pipelines.stages.reference_offline --sft data/checkpoints/sft
--history data/iterations/sft/history.parquet --table data/iterations/sft/reference.parquet
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from curation.core import schema
from pipelines.core import io, stage
from pipelines.core import params as parameters
from pipelines.core.arguments import Arguments, reads, writes
from pipelines.core.stage import Stage
from pipelines.shared import references


class Args(Arguments):
    """What the stage reads, writes and is told."""

    sft: Path = reads()
    history: Path = reads()
    table: Path = writes()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; returns the exit code."""
    return stage.run("reference_offline", Args, body, argv)


def body(run: Stage, args: Args) -> None:
    """Compute the log-probs of every offline pair."""
    params = parameters.load(args.params)
    history = io.read(args.history, schema.HISTORY)
    if not history.is_empty():
        from training.core import environment

        environment.prepare()
    budget, bf16 = params.engine.batch_tokens, params.dpo.bf16
    known = schema.REFERENCE.empty()
    table = references.compute(run, args.sft, history, known, budget, bf16=bf16)
    run.summary.rows_in = history.height
    run.summary.kept = run.outputs.table(args.table, schema.REFERENCE, table)


if __name__ == "__main__":
    sys.exit(main())
