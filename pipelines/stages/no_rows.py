"""Write the SFT set of no rows, none: what a recipe names that trains on no set of this kind.

Run: python -m pipelines.stages.no_rows --native data/sources/sft/none/native.parquet

DVC knows no dependency that may be missing, and dvc.yaml is one file for all recipes: a base model
that brings its tokenizer depends on this set, and the SFT mix of `sft: null` may hold no other.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from curation.core import schema
from pipelines.core import stage
from pipelines.core.arguments import Arguments, writes
from pipelines.core.stage import Stage


class Args(Arguments):
    """What the stage writes."""

    native: Path = writes()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; returns the exit code."""
    return stage.run("no_rows", Args, body, argv)


def body(run: Stage, args: Args) -> None:
    """Write the table."""
    run.outputs.table(args.native, schema.SFT, schema.SFT.empty())


if __name__ == "__main__":
    sys.exit(main())
