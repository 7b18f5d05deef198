"""prefloop: the commands around `dvc repro`. Run `prefloop COMMAND --help` for each."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

TASKS = {
    "build": {
        "use": "copy a recipe into place as params.yaml",
        "check-recipe": "validate a recipe and resolve its graph, run nothing",
        "pin": "record the commits that the hub's sets are at now",
        "repro": "check the recipe, run dvc repro, put things back if it fails",
        "import": "bring ready-made generations or scores into an iteration",
    },
    "ask a build": {
        "sql": "ask any table of the build in SQL",
        "why": "the life of one row, from native row to training row",
        "lineage": "what a checkpoint was made of",
        "diff": "what changed between two revisions of a table",
        "statistics": "every set and mix beside the paper's own rows",
        "timings": "time and tokens per second of each stage's last run",
        "experiments": "one page over all dvc exp runs",
    },
    "try another pairing, and look": {
        "what-if": "re-pair stored scores another way, without a model",
        "ui": "a local web app: SQL, every pair, what-if, blind review",
        "review": "queue pairs for people, record and count their decisions",
    },
    "measure judges and policies": {
        "judge-eval": "accuracy, calibration and agreement of the judges",
        "rewardbench": "a judge on RewardBench, by its sections",
        "win-rate": "one policy against another, also at equal length",
        "bench-answers": "a checkpoint's answers to AlpacaEval, MT-Bench or Arena-Hard",
        "bench-judge": "an LLM judge's verdicts on such answers",
        "alpaca-eval": "win rates, plain and at equal length, of its files",
        "mt-bench": "MT-Bench scores of its judgment files",
        "arena-hard": "Arena-Hard win rates of its judgment files",
        "lm-eval": "academic benchmarks with the paper's shots",
        "debias": "take length out of a reward model",
        "multi-head": "a reward model with one gated head per attribute",
    },
    "hand over": {
        "export": "write a mix as TRL conversational or RLHFlow standard rows",
        "publish": "put tables or a checkpoint on the Hub, with a card",
    },
    "keep the project true": {
        "deps": "rewrite the code dependencies of dvc.yaml from the imports",
        "dictionary": "write the data dictionary into the README",
    },
}
"""Task -> command -> its sentence; the command `a-b` is the module `pipelines.commands.a_b`."""

_MODULES = {"import": "import_rows"}  # a module cannot be named by a keyword
COMMANDS = {name: found for task in TASKS.values() for name, found in task.items()}


def index() -> str:
    """Every command with its sentence, by task."""
    return "\n\n".join(
        "\n".join([f"{task}:", *(f"  {name:<14}{text}" for name, text in found.items())])
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
    name = _MODULES.get(args.command, args.command.replace("-", "_"))
    return int(importlib.import_module(f"pipelines.commands.{name}").main(args.rest))


if __name__ == "__main__":
    sys.exit(main())
