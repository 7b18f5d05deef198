"""Write D_off, the pairs before the first iteration: empty unless history.offline names a mix.

Run: python -m pipelines.stages.history_offline --mixes data/mixes \\
    --table data/iterations/sft/history.parquet --metrics data/iterations/sft/history.json
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from curation.core import schema
from curation.pairing.history import figures, offline
from pipelines.core import io, stage
from pipelines.core.arguments import Arguments, reads, writes
from pipelines.core.params import load
from pipelines.core.stage import Stage
from pipelines.shared.keeping import keep_of


class Args(Arguments):
    """What the stage reads, writes and is told."""

    mixes: Path = reads()
    table: Path = writes()
    metrics: Path = writes()


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the flags, take the mix's train rows, write; the exit code."""
    return stage.run("history_offline", Args, body, argv)


def body(run: Stage, args: Args) -> None:
    """Read the mix that params.yaml names, if any; write the offline history and its metrics."""
    params = load(args.params)
    name = params.history.offline
    rows = schema.HISTORY.empty()
    if name is not None:
        mix = io.scan(args.mixes / name / "mix.parquet", schema.MIXES)
        rows = offline(mix, params.history.offline_cap, keep_of(params))
        run.summary.note = f"from {name}"
    run.outputs.table(args.table, schema.HISTORY, rows)
    run.outputs.json(args.metrics, figures(rows, schema.REJECTS.empty()))
    run.summary.rows_in = run.summary.kept = rows.height


if __name__ == "__main__":
    sys.exit(main())
