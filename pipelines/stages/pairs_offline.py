"""Choose the offline baseline's pairs: those of a ranked set that ask no held-out prompt.

Run: python -m pipelines.stages.pairs_offline \\
    --preferences data/sources/preference/nectar/table.parquet \\
    --prompts data/prompts/prompts.parquet --table data/iterations/offline/history.parquet \\
    --rejects data/iterations/offline/history_rejects.parquet \\
    --metrics data/iterations/offline/history.json
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from curation.core import schema
from curation.core.errors import UserError
from curation.mixing import held_out
from curation.pairing.history import baseline
from pipelines.core import io, stage
from pipelines.core.arguments import Arguments, reads, writes
from pipelines.core.params import load
from pipelines.core.stage import Stage


class Args(Arguments):
    """What the stage reads, writes and is told."""

    preferences: Path = reads()
    prompts: Path = reads()
    table: Path = writes()
    rejects: Path = writes()
    metrics: Path = writes()


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the flags, choose the pairs, write; the exit code."""
    return stage.run("pairs_offline", Args, body, argv)


def body(run: Stage, args: Args) -> None:
    """Read the set and the pool; write history, rejects and metrics."""
    params = load(args.params)
    preferences = io.read(args.preferences, schema.PREFERENCES)
    asked = preferences.select("prompt_id", "prompt").unique("prompt_id", maintain_order=True)
    held = held_out.hits([asked], held_out.held(io.read(args.prompts, schema.PROMPTS)))
    chosen = baseline(preferences, held, params.dpo_offline.pairs, params.seeds.dpo)
    if chosen.history.is_empty():
        raise UserError(f"{args.preferences}: no pair to train the offline baseline on")
    run.outputs.table(args.table, schema.HISTORY, chosen.history)
    run.outputs.table(args.rejects, schema.REJECTS, chosen.rejects)
    run.outputs.json(args.metrics, chosen.metrics)
    run.summary.rows_in, run.summary.kept = preferences.height, chosen.history.height
    run.summary.rejected = chosen.rejects.height


if __name__ == "__main__":
    sys.exit(main())
