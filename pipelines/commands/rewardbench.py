"""prefloop rewardbench: a judge on RewardBench 1 and 2, RM-Bench, JudgeBench or PPE.

Run: prefloop rewardbench --pairs filtered.parquet --judge data/checkpoints/reward_models/mix2
--mix data/mixes/mix2/mix.parquet --metrics rewardbench.json

The file is the benchmark's own, and its columns say which it is; its score is made by that
benchmark's own arithmetic. A file that holds what a judge said already (JudgeBench's judgments,
RM-Bench's score_chosen, RewardBench's scores) is scored as it is, without --judge. --out writes
what --judge said in that form, for the benchmark's own scripts. --mix names tables that the judge
was trained on: rows of the benchmark whose prompt stands in one, or shares 13 words in a row with
one, are counted, and the score is told without them too. JudgeBench's score is micro, over pairs,
as on its board; the macro mean of its categories stands beside.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curation.audit import paper
from curation.audit.text import of_rows
from curation.core.errors import UserError
from pipelines.core import params as parameters
from pipelines.core import stage
from pipelines.core.arguments import Arguments, reads, writes
from pipelines.core.stage import Stage
from pipelines.shared import overlaps, reward_files, reward_outputs, settings

TASK = "measure judges and policies"

if TYPE_CHECKING:
    from training.bench.rewards.said import Said


class Args(Arguments):
    """What the command reads, writes and is told."""

    pairs: Path = reads()
    judge: Path | None = reads(default=None)
    mix: tuple[Path, ...] = reads(default=())
    metrics: Path = writes()
    out: Path | None = writes(default=None)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return stage.run("rewardbench", Args, body, argv)


def body(run: Stage, args: Args) -> None:
    """Judge every row, or read what a judge said; write the figures, with and without overlap."""
    rows = reward_files.load(args.pairs)
    bench = reward_files.bench_of(args.pairs, rows)
    items = reward_files.items(args.pairs, rows, bench)
    read = args.judge is None
    name, said = _published(args, bench, rows) if read else _asked(args, bench, items)
    from training.bench.rewards import scoring

    found = scoring.figures(bench, items, said)
    held = overlaps.of(items, args.mix)
    told = {"bench": bench, "judge": name, "rows": len(items), "nulls": said.nulls(), **found}
    if held is not None:
        told["overlap"] = held.told(items)
        kept = [n for n in range(len(items)) if n not in held.prompts]
        few = [items[n] for n in kept]
        told["without_overlap"] = scoring.figures(bench, few, said.of(kept)) if kept else None
    run.outputs.json(args.metrics, told)
    if args.out is not None:
        run.outputs.text(args.out, reward_outputs.written(bench, name, items, said))
    print(of_rows(_table(told), digits=2))
    run.summary.rows_in, run.summary.rejected = len(rows), told["nulls"]
    run.summary.kept = len(rows) - told["nulls"]
    run.summary.note = _note(told)


def _published(args: Args, bench: str, rows: Sequence[dict[str, Any]]) -> tuple[str, Said]:
    from training.bench.rewards.said import Said

    if not reward_outputs.has(bench, rows):
        raise UserError(f"{args.pairs}: {bench} without a judge's verdicts; name one with --judge")
    if bench == "judgebench":
        return reward_outputs.judge_of(rows), Said(
            decisions=reward_outputs.decisions(args.pairs, rows)
        )
    return reward_outputs.judge_of(rows), Said(
        scores=reward_outputs.scores(args.pairs, bench, rows)
    )


def _asked(args: Args, bench: str, items: Sequence[Any]) -> tuple[str, Said]:
    if not all(item.prompt for item in items):
        raise UserError(f"{args.pairs}: holds scores, no prompts; score it without --judge")
    assert args.judge is not None
    params = parameters.load(args.params)
    from training.core import environment

    environment.prepare()
    from training.bench.rewards import said
    from training.judges import pairwise

    judge = pairwise.load(args.judge, settings.engine(params))
    return judge.name, said.ask(judge, bench, items)


def _table(told: dict[str, Any]) -> list[dict[str, Any]]:
    """Parts and score in percent, without the overlap below; the paper's rows on RewardBench."""
    lines = [_line(told["judge"], told)]
    if told.get("without_overlap"):
        lines.append(_line("  without overlap", told["without_overlap"]))
    if told["bench"] == "rewardbench":
        names = list(told["sections"])
        lines += [
            {**dict.fromkeys(lines[0]), "judge": judge, **dict(zip(names, values, strict=True))}
            for judge, *values in paper.REWARD_BENCH
        ]
    return lines


def _line(name: str, told: dict[str, Any]) -> dict[str, Any]:
    parts = told.get("sections") or {key: one["accuracy"] for key, one in told["parts"].items()}
    extra = {key: told[key] for key in ("macro", "easy", "normal", "hard") if key in told}
    shares = {"score": told["score"], **extra, **parts}
    return {"judge": name, **{key: value and 100 * value for key, value in shares.items()}}


def _note(told: dict[str, Any]) -> str:
    score = "no score: parts are missing" if told["score"] is None else (
        f"{told['bench']} score {100 * told['score']:.2f}"
    )  # fmt: skip
    if "mean" in told:
        score += f" ({told['mean']})"
    held = told.get("overlap")
    if held is None:
        return f"{score}; overlap with training not looked for: name its tables with --mix"
    return (
        f"{score}; {held['prompts']} of {told['rows']} rows have their prompt in the training "
        f"tables, {held['answers']} an answer too"
    )


if __name__ == "__main__":
    sys.exit(main())
