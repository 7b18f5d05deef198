"""Pin one judge of params.yaml: write down, by hash, what it reads.

Run: python -m pipelines.stages.judge --name llm --path recipes/judges/rating.yaml
--pin data/checkpoints/reward_models/panel/llm/pin.json
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from curation.core.errors import UserError
from pipelines.core import params as parameters
from pipelines.core import stage
from pipelines.core.arguments import Arguments, foreach, reads, writes
from pipelines.core.params.judges import Judge, RewardModelJudge
from pipelines.core.stage import Stage
from pipelines.shared import panel


class Args(Arguments):
    """What the stage reads, writes and is told."""

    path: Path = reads()
    pin: Path = writes()
    name: str = foreach()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; returns the exit code."""
    return stage.run("judge", Args, body, argv)


def body(run: Stage, args: Args) -> None:
    """Check that the judge is as params.yaml says, and write its pin."""
    judges = parameters.load(args.params).judges
    if args.name not in judges:
        known = ", ".join(judges) or "none"
        raise UserError(f"{args.params}: judges: none is named {args.name}; known: {known}")
    section = judges[args.name]
    if Path(section.path) != args.path:
        raise UserError(f"--path {args.path}: judges.{args.name}.path is {section.path}")
    run.outputs.json(args.pin, panel.pin(args.name, section))
    noted = _noted(args.name, args.path, section)
    run.summary.rows_in = run.summary.kept = 1
    run.summary.note = f"{noted} noted by its contract" if noted else ""


def _noted(name: str, path: Path, section: Judge) -> int:
    """How much the contract notes of a model that others made.

    Raises:
        UserError: a promise is broken, so that it would read other tokens than it was trained on.
    """
    if not (path / "config.json").is_file():
        return 0
    from training.core import environment

    environment.prepare()
    from training.core import contract

    _whole(path, section)
    found = contract.check(path, trained=False)
    if wrong := contract.broken(found):
        raise UserError(f"judges.{name}.path: {path}: {contract.complaint(wrong)}")
    for one in found:
        if one.verdict == "noted":
            print(f"judge@{name}: {one.promise}: {one.detail}", flush=True)
    return sum(one.verdict == "noted" for one in found)


def _whole(path: Path, section: Judge) -> None:
    """Refuse a reward model that would load otherwise than it was saved, before anything waits."""
    if not isinstance(section, RewardModelJudge):
        return
    from training.core import loading, reward_head
    from training.judges.view import Reading, seen

    view = seen(path, Reading(section.head, section.reads, section.context))
    with reward_head.native(Path(view.name) if view else path) as plain:
        loading.check(plain, labelled=True)


if __name__ == "__main__":
    sys.exit(main())
