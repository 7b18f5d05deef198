"""prefloop: the commands around `dvc repro`. Run `prefloop COMMAND --help` for each."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from types import FunctionType

TASKS = {
    "build": {
        "use": ("pipelines.recipes", "copy a recipe into place as params.yaml"),
        "check-recipe": (
            "pipelines.recipes",
            "validate a recipe and resolve its graph, run nothing",
        ),
        "pin": ("pipelines.pin", "record the commits that the hub's sets are at now"),
        "repro": (
            "pipelines.repro",
            "check the recipe, run dvc repro, put things back if it fails",
        ),
        "import": (
            "pipelines.import_rows",
            "bring ready-made generations or scores into an iteration",
        ),
    },
    "ask a build": {
        "sql": ("pipelines.audit_sql", "ask any table of the build in SQL"),
        "why": ("pipelines.audit_why", "the life of one row, from native row to training row"),
        "lineage": ("pipelines.audit_lineage", "what a checkpoint was made of"),
        "diff": ("pipelines.audit_diff", "what changed between two revisions of a table"),
        "statistics": (
            "pipelines.audit_statistics",
            "every set and mix beside the paper's own rows",
        ),
        "timings": ("pipelines.timings", "time and tokens per second of each stage's last run"),
        "experiments": ("pipelines.experiments", "one page over all dvc exp runs"),
    },
    "try another pairing, and look": {
        "what-if": ("pipelines.what_if", "re-pair stored scores another way, without a model"),
        "ui": ("pipelines.ui", "a local web app: SQL, every pair, what-if, blind review"),
        "review": ("pipelines.review", "queue pairs for people, record and count their decisions"),
    },
    "measure judges and policies": {
        "judge-eval": ("pipelines.judge_eval", "accuracy, calibration and agreement of the judges"),
        "rewardbench": ("pipelines.rewardbench", "a judge on RewardBench, by its sections"),
        "win-rate": ("pipelines.win_rate", "one policy against another, also at equal length"),
        "bench-answers": (
            "pipelines.bench_answers",
            "a checkpoint's answers to AlpacaEval, MT-Bench or Arena-Hard",
        ),
        "bench-judge": ("pipelines.bench_judge", "an LLM judge's verdicts on such answers"),
        "alpaca-eval": (
            "pipelines.alpaca_eval",
            "win rates, plain and at equal length, of its files",
        ),
        "mt-bench": ("pipelines.chat_bench", "MT-Bench scores of its judgment files"),
        "arena-hard": ("pipelines.chat_bench", "Arena-Hard win rates of its judgment files"),
        "lm-eval": ("pipelines.lm_harness", "academic benchmarks with the paper's shots"),
        "debias": ("pipelines.debias", "take length out of a reward model"),
        "multi-head": ("pipelines.multi_head", "a reward model with one gated head per attribute"),
    },
    "hand over": {
        "export": (
            "pipelines.export",
            "write a mix as TRL conversational or RLHFlow standard rows",
        ),
        "publish": ("pipelines.publish", "put tables or a checkpoint on the Hub, with a card"),
    },
    "keep the project true": {
        "deps": ("pipelines.deps", "rewrite the code dependencies of dvc.yaml from the imports"),
        "dictionary": ("pipelines.dictionary", "write the data dictionary into the README"),
    },
}
"""Task -> command -> its module and its sentence."""

COMMANDS = {name: found for task in TASKS.values() for name, found in task.items()}


def index() -> str:
    """Every command with its sentence, by task."""
    return "\n\n".join(
        "\n".join([f"{task}:", *(f"  {name:<14}{text}" for name, (_, text) in found.items())])
        for task, found in TASKS.items()
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code (2 for bad input)."""
    parser = argparse.ArgumentParser(
        prog="prefloop",
        description=__doc__,
        epilog=index(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", nargs="?", choices=COMMANDS, metavar="COMMAND")
    parser.add_argument("rest", nargs=argparse.REMAINDER, metavar="...")
    args = parser.parse_args(argv)
    if args.command is None:
        parser.print_help()
        return 0
    module = importlib.import_module(COMMANDS[args.command][0])
    found = getattr(module, args.command.replace("-", "_"), None)
    entry = found if isinstance(found, FunctionType) else module.main
    return int(entry(args.rest))


if __name__ == "__main__":
    sys.exit(main())
