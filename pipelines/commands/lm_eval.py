"""prefloop lm-eval: academic benchmarks by lm-eval, with the paper's shots.

Run: prefloop lm-eval --checkpoint data/checkpoints/iter3 --metrics lm_eval.json \\
    [--recipe recipes/lm_eval/paper.yaml] [--task-folder FOLDER] [--limit N] [--chat] [--run-code]

HumanEval and MBPP run code that the model wrote: without --run-code they are refused, so leave them
out of the recipe or run them where that does no harm. Needs the `evaluation` extra.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pydantic
import yaml
from pydantic import Field

from curation.audit import paper
from curation.audit.text import of_rows
from curation.core.errors import UserError
from pipelines.core import params as parameters
from pipelines.core import stage
from pipelines.core.arguments import Arguments, option, reads, writes
from pipelines.core.params.section import Model
from pipelines.core.stage import Stage

TASK = "measure judges and policies"


class Entry(Model):
    """One task of a recipe; column is its name in the paper's table."""

    shots: int = Field(ge=0)
    metric: str = Field(min_length=1)
    column: str | None = None
    runs_code: bool = False


class Recipe(Model):
    """Tasks of lm-eval by name."""

    tasks: dict[str, Entry] = Field(min_length=1)


class Args(Arguments):
    """What the command reads, writes and is told."""

    checkpoint: Path = reads()
    task_folder: Path | None = reads(default=None)
    metrics: Path = writes()
    recipe: Path = option(default=Path("recipes/lm_eval/paper.yaml"))
    limit: int | None = option(default=None, help="items per task; default all")
    chat: bool = option(default=False, help="ask through the chat template")
    run_code: bool = option(default=False, help="run code that the model wrote")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return stage.run("lm_eval", Args, body, argv)


def body(run: Stage, args: Args) -> None:
    """Evaluate; write and print ours and the paper's figures."""
    entries = read(args.recipe).tasks
    dangerous = [name for name, entry in entries.items() if entry.runs_code]
    if dangerous and not args.run_code:
        raise UserError(
            f"{args.recipe}: {', '.join(dangerous)} run code that the model wrote; "
            "give --run-code, or leave them out"
        )
    if args.limit is not None and args.limit < 1:
        raise UserError(f"--limit {args.limit}: at least 1")
    from training.bench import harness

    harness.require()
    if dangerous:
        os.environ["HF_ALLOW_CODE_EVAL"] = "1"
    from training.core import environment

    environment.prepare()
    whole = parameters.load(args.params)
    tasks = {
        name: harness.Task(entry.shots, entry.metric, entry.runs_code)
        for name, entry in entries.items()
    }
    found = harness.evaluate(
        args.checkpoint, tasks, seed=whole.seeds.evaluation, folder=args.task_folder,
        limit=args.limit, chat=args.chat, dtype=whole.engine.dtype,
    )  # fmt: skip
    run.outputs.json(args.metrics, {"checkpoint": str(args.checkpoint), "tasks": found})
    print(of_rows(_table(args.checkpoint.name, entries, found), digits=1))
    run.summary.rows_in = run.summary.kept = len(found)


def read(path: Path) -> Recipe:
    """The recipe.

    Raises:
        UserError: the file is missing, is no YAML, or a key is unknown or of a wrong type.
    """
    try:
        return Recipe.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; give a file with --recipe") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not YAML ({str(error).splitlines()[0]})") from error
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UserError(f"{path}: {where}: {first['msg']}") from error


def _table(
    name: str, entries: dict[str, Entry], found: dict[str, dict[str, float]]
) -> list[dict[str, Any]]:
    """Ours in percent, then the paper's rows in the same columns."""
    heads = {task: f"{entry.column or task} ({entry.shots})" for task, entry in entries.items()}
    ours = {heads[task]: 100 * figure["value"] for task, figure in found.items()}
    rows: list[dict[str, Any]] = [{"policy": name, **ours}]
    for policy, *values in paper.ACADEMIC:
        theirs = dict(zip(paper.ACADEMIC_COLUMNS, values, strict=True))
        shown = {heads[task]: theirs.get(entry.column or "") for task, entry in entries.items()}
        if any(value is not None for value in shown.values()):
            rows.append({"policy": f"paper: {policy}", **shown})
    return rows


if __name__ == "__main__":
    sys.exit(main())
