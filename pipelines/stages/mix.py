"""Build one preference mix: the members' tables -> mix.parquet + rejects.

Run: python -m pipelines.stages.mix --mix mix1 --sources data/sources/preference \
--benchmarks data/sources/benchmark --prompts data/prompts/prompts.parquet \
--table T.parquet --rejects R.parquet --metrics M.json
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import polars as pl

from curation.core import schema, statistics
from curation.core.errors import UserError
from pipelines.core import params, stage
from pipelines.core.arguments import foreach
from pipelines.core.stage import Stage
from pipelines.shared import mixing


class Args(mixing.Files):
    """What the stage reads, writes and is told."""

    mix: str = foreach(help="name of the mix in params.yaml")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; 0, or 2 on bad input."""
    return stage.run("mix", Args, _body, argv)


def _body(run: Stage, args: Args) -> None:
    whole = params.load(args.params)
    name = args.mix
    if name not in whole.mixes:
        have = ", ".join(sorted(whole.mixes))
        raise UserError(f"{args.params}: mixes: none is named {name}; mixes: {have}")
    mix = mixing.recipe(f"mixes.{name}", "pair_id", whole.mixes[name], whole)
    mixing.build(run, args, mix, whole, mixing.Kind(schema.PREFERENCES, schema.MIXES, _figures))


def _figures(frame: pl.LazyFrame) -> dict[str, Any]:
    whole = statistics.preferences(frame)
    return {"all": whole, "by_source": statistics.by_source(frame, whole)}


if __name__ == "__main__":
    sys.exit(main())
