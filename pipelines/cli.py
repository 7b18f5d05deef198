"""prefloop: the commands around `dvc repro`. Run `prefloop COMMAND --help` for each."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from types import FunctionType

COMMANDS = {
    "repro": ("pipelines.repro", "check the recipe, run dvc repro, put things back if it fails"),
    "use": ("pipelines.recipes", "copy a recipe into place as params.yaml"),
    "check-recipe": ("pipelines.recipes", "validate a recipe and resolve its graph, run nothing"),
    "pin": ("pipelines.pin", "record the commits that the hub's sets are at now"),
    "sql": ("pipelines.audit_sql", "ask any table of the build in SQL"),
    "why": ("pipelines.audit_why", "the life of one row, from native row to training row"),
    "statistics": ("pipelines.audit_statistics", "every set and mix beside the paper's own rows"),
    "lineage": ("pipelines.audit_lineage", "what a checkpoint was made of"),
    "diff": ("pipelines.audit_diff", "what changed between two revisions of a table"),
    "import": ("pipelines.import_rows", "bring ready-made generations or scores into an iteration"),
    "what-if": ("pipelines.what_if", "re-pair stored scores another way, without a model"),
    "review": ("pipelines.review", "queue pairs for people, record and count their decisions"),
    "ui": ("pipelines.ui", "a local web app: SQL, every pair, what-if, blind review"),
    "experiments": ("pipelines.experiments", "one page over all dvc exp runs"),
    "alpaca-eval": ("pipelines.alpaca_eval", "win rates, plain and at equal length, of its files"),
    "mt-bench": ("pipelines.chat_bench", "MT-Bench scores of its judgment files"),
    "arena-hard": ("pipelines.chat_bench", "Arena-Hard win rates of its judgment files"),
    "judge-eval": ("pipelines.judge_eval", "accuracy, calibration and agreement of the judges"),
    "rewardbench": ("pipelines.rewardbench", "a judge on RewardBench, by its sections"),
    "debias": ("pipelines.debias", "take length out of a reward model"),
    "multi-head": ("pipelines.multi_head", "a reward model with one gated head per attribute"),
    "win-rate": ("pipelines.win_rate", "one policy against another, also at equal length"),
    "export": ("pipelines.export", "write a mix as TRL conversational or RLHFlow standard rows"),
    "publish": ("pipelines.publish", "put tables or a checkpoint on the Hub, with a card"),
    "deps": ("pipelines.deps", "rewrite the code dependencies of dvc.yaml from the imports"),
    "dictionary": ("pipelines.dictionary", "write the data dictionary into the README"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code (2 for bad input)."""
    lines = "\n".join(f"  {name:<14}{text}" for name, (_, text) in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="prefloop",
        description=__doc__,
        epilog=f"commands:\n{lines}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND")
    parser.add_argument("rest", nargs=argparse.REMAINDER, metavar="...")
    args = parser.parse_args(argv)
    module = importlib.import_module(COMMANDS[args.command][0])
    found = getattr(module, args.command.replace("-", "_"), None)
    entry = found if isinstance(found, FunctionType) else module.main
    return int(entry(args.rest))


if __name__ == "__main__":
    sys.exit(main())
