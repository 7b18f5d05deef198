"""Log-probabilities of D_off under the SFT policy; no rows, and no model, when D_off is empty.

Run: python -m pipelines.stages.reference_offline --sft data/checkpoints/sft
--history data/iterations/sft/history.parquet --table data/iterations/sft/reference.parquet
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from curation.core import schema
from pipelines.core import io, stage
from pipelines.core import params as parameters
from pipelines.core.stage import Stage
from pipelines.shared import references


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; returns the exit code."""
    parser = stage.parser(__doc__, inputs=["sft", "history"], outputs=["table"])
    return stage.run("reference_offline", parser, body, argv)


def body(run: Stage) -> None:
    """Compute the log-probs of every offline pair."""
    params = parameters.load(run.args.params)
    history = io.read(run.args.history, schema.HISTORY)
    if not history.is_empty():
        from training.core import environment

        environment.prepare()
    table = references.compute(
        run, run.args.sft, history, schema.REFERENCE.empty(), params.engine.batch_tokens
    )
    run.summary.rows_in = history.height
    run.summary.kept = run.outputs.table(run.args.table, schema.REFERENCE, table)


if __name__ == "__main__":
    sys.exit(main())
