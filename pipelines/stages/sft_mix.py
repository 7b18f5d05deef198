"""Build the SFT mix: the members' tables -> sft_mix.parquet + rejects.

Run: python -m pipelines.stages.sft_mix --sources data/sources/sft \
--benchmarks data/sources/benchmark \
--prompts data/prompts/prompts.parquet --table T.parquet --rejects R.parquet --metrics M.json
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from curation.core import schema, statistics
from pipelines.core import params, stage
from pipelines.core.stage import Stage
from pipelines.shared import mixing


class Args(mixing.Files):
    """What the stage reads, writes and is told."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; 0, or 2 on bad input."""
    return stage.run("sft_mix", Args, _body, argv)


def _body(run: Stage, args: Args) -> None:
    whole = params.load(args.params)
    mix = mixing.recipe("sft_mix", "example_id", whole.sft_mix, whole)
    kind = mixing.Kind(schema.SFT, schema.SFT_MIX, statistics.demonstrations)
    mixing.build(run, args, mix, whole, kind)


if __name__ == "__main__":
    sys.exit(main())
