"""prefloop judge-eval: judges on held-out pairs: accuracy, calibration, agreement, cycles.

Run: prefloop judge-eval --table data/mixes/mix2/mix.parquet
--judge data/checkpoints/reward_models/mix1 data/checkpoints/reward_models/mix2
data/checkpoints/preference_model --oracle data/sample/world.py
--generations data/iterations/iter1/generations.parquet --prompts data/prompts/prompts.parquet
--metrics judges.json

Every judge is a checkpoint: a reward model or a preference model. The oracle (the function of
evaluation.oracle) joins as one more judge; intervals and the tests of two judges' difference are
over prompts, not rows; with generations and prompts, preference models are also
asked for cycles among three responses to each of length_bias.prompts prompts.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from curation.audit.text import of_rows
from curation.core import ids, schema
from curation.core.errors import UserError
from pipelines.core import io, stage
from pipelines.core import params as parameters
from pipelines.core.arguments import Arguments, option, reads, writes
from pipelines.core.params import Params
from pipelines.core.stage import Stage
from pipelines.shared import judges, judging

TASK = "measure judges and policies"

if TYPE_CHECKING:
    from training.judges.pairwise import PairwiseJudge
    from training.measures.judge_report import Labelled


class Args(Arguments):
    """What the command reads, writes and is told."""

    table: Path = reads()
    judge: tuple[Path, ...] = reads(default=())
    oracle: Path | None = reads(default=None)
    generations: Path | None = reads(default=None)
    prompts: Path | None = reads(default=None)
    metrics: Path = writes()
    pairs: int | None = option(default=None, metavar="N", help="at most so many held-out pairs")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return stage.run("judge_eval", Args, body, argv)


def body(run: Stage, args: Args) -> None:
    """Ask every judge about every held-out pair; write the figures, print the main ones."""
    params = parameters.load(args.params)
    rows, ambiguous = _held_out(args, params)
    from training.core import environment

    environment.prepare()
    from training.measures import judge_report

    figures: dict[str, dict[str, Any]] = {}
    answers = {}
    for judge in judges.named(args.judge, args.oracle, params):
        answers[judge.name] = judge_report.ask(judge, rows)
        figures[judge.name] = judge_report.report(judge, rows, answers[judge.name])
        if judge.has_position:  # rewards are numbers: they cannot form a cycle
            figures[judge.name]["cycles"] = _cycles(args, params, judge)
        print(
            f"judge_eval: {judge.name}: accuracy {figures[judge.name]['accuracy']:.4f}", flush=True
        )
    if "oracle" in answers:
        for name, found in figures.items():
            found["against_oracle"] = judge_report.against(answers["oracle"], answers[name], rows)
    agreement = judge_report.agreement(rows, answers, params.seeds.evaluation)
    paired = judge_report.paired(rows, answers)
    told = {"pairs": len(rows), "ambiguous": ambiguous, "judges": figures}
    run.outputs.json(args.metrics, {**told, "agreement": agreement, "paired": paired})
    print(of_rows([_line(name, found) for name, found in figures.items()], digits=4))
    print(of_rows(agreement, digits=4))
    print(of_rows(paired, digits=4))
    run.summary.rows_in = len(rows) + ambiguous
    run.summary.kept, run.summary.rejected = len(rows), ambiguous


def _held_out(args: Args, params: Params) -> tuple[list[Labelled], int]:
    """Pairs of the eval split in the order of a hash, and how many hold a marker."""
    from training.measures.judge_report import Labelled
    from training.trainers.examples import Comparison
    from training.trainers.preference_model import is_ambiguous

    table = io.read(args.table, schema.MIXES).filter(pl.col("split") == "eval")
    key = ids.unit(pl.col("pair_id"), params.seeds.evaluation, "judge_eval")
    table = table.sort(key, "pair_id").head(args.pairs or table.height)
    columns = ["pair_id", "prompt", "chosen", "rejected", "source", "margin"]
    found = [
        Labelled(key, prompt, chosen[-1]["content"], rejected[-1]["content"], source, margin)
        for key, prompt, chosen, rejected, source, margin in table.select(columns).iter_rows()
    ]
    clear = [
        row
        for row in found
        if not is_ambiguous(Comparison(row.key, row.prompt, row.chosen, row.rejected))
    ]
    if not clear:
        raise UserError(f"{args.table}: no pair has split eval; raise the mix's eval_share")
    return clear, len(found) - len(clear)


def _cycles(args: Args, params: Params, judge: PairwiseJudge) -> dict[str, Any]:
    if args.generations is None or args.prompts is None:
        return {}
    from training.measures import judge_report

    generations = io.read(args.generations, schema.GENERATIONS)
    prompts = io.read(args.prompts, schema.PROMPTS)
    key = ids.unit(pl.col("prompt_id"), params.seeds.evaluation, "judge_eval")
    few = generations.select("prompt_id").unique().sort(key, "prompt_id")
    chosen = generations.join(few.head(params.length_bias.prompts), on="prompt_id", how="semi")
    answers = judging.with_prompts(chosen, prompts, args.generations)
    groups = answers.sort("prompt_id", "generation_id").group_by("prompt_id", maintain_order=True)
    asked = groups.agg(pl.col("messages").first(), pl.col("response"))
    return judge_report.cycles(judge, asked["messages"].to_list(), asked["response"].to_list())


def _line(name: str, found: dict[str, Any]) -> dict[str, Any]:
    """A judge's row of the printed table."""
    plain = {key: found[key] for key in ("accuracy", "low", "high", "pairs")}
    return {
        "judge": name,
        **plain,
        "on_oracle_labels": found.get("against_oracle", {}).get("accuracy"),
        "ece": found["calibration"]["ece"],
        "swap_inconsistency": found.get("swap_inconsistency"),
        "cycle_rate": found.get("cycles", {}).get("cycle_rate"),
    }


if __name__ == "__main__":
    sys.exit(main())
