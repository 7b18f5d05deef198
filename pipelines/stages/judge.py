"""Pin one judge of params.yaml: write down, by hash, what it reads.

Run: python -m pipelines.stages.judge --name llm --path recipes/judges/rating.yaml
--pin data/checkpoints/reward_models/panel/llm.json
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from curation.core.errors import UserError
from pipelines.core import params as parameters
from pipelines.core import stage
from pipelines.core.stage import Stage
from pipelines.shared import panel


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; returns the exit code."""
    parser = stage.parser(__doc__, inputs=["path"], outputs=["pin"])
    parser.add_argument("--name", required=True)
    return stage.run("judge", parser, body, argv)


def body(run: Stage) -> None:
    """Check that the judge is as params.yaml says, and write its pin."""
    judges = parameters.load(run.args.params).judges
    if run.args.name not in judges:
        known = ", ".join(judges) or "none"
        raise UserError(f"{run.args.params}: judges: none is named {run.args.name}; known: {known}")
    section = judges[run.args.name]
    if Path(section.path) != run.args.path:
        raise UserError(f"--path {run.args.path}: judges.{run.args.name}.path is {section.path}")
    run.outputs.json(run.args.pin, panel.pin(run.args.name, section))
    run.summary.rows_in = run.summary.kept = 1


if __name__ == "__main__":
    sys.exit(main())
