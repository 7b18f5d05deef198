"""What must hold of a model's tokenizer and template before it costs GPU time.

Run: python -m pipelines.stages.contract --checkpoint data/checkpoints/base
--report data/contract/base.json
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from curation.core.errors import UserError
from pipelines.core import stage
from pipelines.core.arguments import Arguments, reads, writes
from pipelines.core.stage import Stage


class Args(Arguments):
    """What the stage reads and writes."""

    checkpoint: Path = reads()
    report: Path = writes()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; returns the exit code, 2 for a promise that is broken."""
    return stage.run("contract", Args, body, argv)


def body(run: Stage, args: Args) -> None:
    """Try every promise, write the verdicts, stop the build at a broken one."""
    from training.core import environment

    environment.prepare()
    from training.core import contract

    found = contract.check(args.checkpoint)
    run.outputs.json(args.report, contract.report(found))
    if wrong := contract.broken(found):
        run.outputs.commit()  # the report of a broken contract is there to be read
        raise UserError(f"{args.checkpoint}: {contract.complaint(wrong)}; see {args.report}")
    noted = sum(one.verdict == "noted" for one in found)
    run.summary.rows_in = run.summary.kept = len(found)
    run.summary.note = f"{noted} noted"


if __name__ == "__main__":
    sys.exit(main())
