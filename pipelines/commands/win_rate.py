"""prefloop win-rate: one policy against another on the same held-out prompts.

The judges are those that did not train the policies.

Run: prefloop win-rate --generations data/evaluation/iter3/generations.parquet
--baseline data/evaluation/sft/generations.parquet --prompts data/prompts/prompts.parquet
--judge data/checkpoints/reward_models/mix1 data/checkpoints/preference_model
--oracle data/sample/world.py --metrics win_rate.json

Responses are matched by prompt and sample number. Preference models are asked in both orders.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from curation.audit.text import of_rows
from curation.core import schema
from curation.core.errors import UserError
from pipelines.core import io, stage
from pipelines.core import params as parameters
from pipelines.core.arguments import Arguments, reads, writes
from pipelines.core.stage import Stage
from pipelines.shared import judges, judging

TASK = "measure judges and policies"

if TYPE_CHECKING:
    from training.measures.win_rate import Duel


class Args(Arguments):
    """What the command reads, writes and is told."""

    generations: Path = reads()
    baseline: Path = reads()
    prompts: Path = reads()
    judge: tuple[Path, ...] = reads(default=())
    oracle: Path | None = reads(default=None)
    metrics: Path = writes()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return stage.run("win_rate", Args, body, argv)


def body(run: Stage, args: Args) -> None:
    """Match the responses, ask every judge, write and print."""
    params = parameters.load(args.params)
    rows, unmatched, names = _matched(args)
    from training.core import environment

    environment.prepare()
    from training.measures import win_rate

    found = {}
    for judge in judges.named(args.judge, args.oracle, params):
        found[judge.name] = win_rate.duel(judge, rows)
    policy, baseline = names
    told = {"policy": policy, "baseline": baseline, "unmatched": unmatched, "judges": found}
    run.outputs.json(args.metrics, told)
    keys = ("win_rate", "se", "ties", "length_controlled", "length_controlled_se")
    more = ("chars", "baseline_chars", "pairs")
    lines = [{"judge": name, **{k: row[k] for k in keys + more}} for name, row in found.items()]
    print(f"{policy} against {baseline}")
    print(of_rows(lines, digits=2))
    run.summary.rows_in, run.summary.kept = len(rows) + unmatched, len(rows)
    run.summary.rejected = unmatched


def _matched(args: Args) -> tuple[list[Duel], int, tuple[str, str]]:
    """Pairs of responses to the same prompt, how many have no partner, the policies' names."""
    ours = io.read(args.generations, schema.GENERATIONS)
    theirs = io.read(args.baseline, schema.GENERATIONS)
    key = ["prompt_id", "sample"]
    both = ours.join(theirs.select(*key, other="response"), on=key, how="inner", validate="1:1")
    if both.is_empty():
        raise UserError(
            f"{args.generations} and {args.baseline}: share no prompt and sample; "
            "evaluate both policies on the same prompts"
        )
    prompts = io.read(args.prompts, schema.PROMPTS)
    asked = judging.with_prompts(both, prompts, args.generations).sort(key)
    columns = ["prompt_id", "messages", "response", "other"]
    names = str(ours["policy"][0]), str(theirs["policy"][0])
    unmatched = ours.height + theirs.height - 2 * both.height
    return list(asked.select(columns).iter_rows()), unmatched, names


if __name__ == "__main__":
    sys.exit(main())
