"""Fetch a model that others made, a judge mostly, at its pin; it keeps the contract or stops here.

Run: python -m pipelines.stages.model --name rm --checkpoint data/checkpoints/models/rm
--report data/contract/model_rm.json
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from curation.core.errors import UserError
from pipelines.core import params as parameters
from pipelines.core import stage
from pipelines.core.arguments import Arguments, foreach, writes
from pipelines.core.stage import Stage
from pipelines.shared import model_files


class Args(Arguments):
    """What the stage writes and is told."""

    checkpoint: Path = writes()
    report: Path = writes()
    name: str = foreach()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; returns the exit code, 2 for a promise that is broken."""
    return stage.run("model", Args, body, argv)


def body(run: Stage, args: Args) -> None:
    """Put the model's files in place, whole or not at all, and try its tokenizer and template."""
    models = parameters.load(args.params).models
    if args.name not in models:
        known = ", ".join(models) or "none"
        raise UserError(f"{args.params}: models: none is named {args.name}; known: {known}")
    section = models[args.name]
    with model_files.collected(section.uri, section.revision, f"models.{args.name}.uri") as files:
        from training.core import environment

        environment.prepare()
        from training.core import checkpoint, contract, loading

        checkpoint.gather(files, args.checkpoint)
    size = sum(file.stat().st_size for file in loading.files(args.checkpoint))
    found = contract.check(args.checkpoint, trained=False)
    run.outputs.json(args.report, contract.report(found))
    if wrong := contract.broken(found):
        run.outputs.commit()  # the report of a broken contract is there to be read
        raise UserError(f"models.{args.name}: {contract.complaint(wrong)}; see {args.report}")
    run.summary.rows_in = run.summary.kept = len(found)
    noted = sum(one.verdict == "noted" for one in found)
    run.summary.note = f"{size / 2**20:,.0f} MiB of weights, {noted} noted by its contract"


if __name__ == "__main__":
    sys.exit(main())
