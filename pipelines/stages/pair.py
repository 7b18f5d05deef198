"""Turn one iteration's scored responses into training pairs.

Run: python -m pipelines.stages.pair --iteration iter1 \\
    --generations data/iter1/generations.parquet --scores data/iter1/scores.parquet \\
    --prompts data/prompts/prompts.parquet \\
    --table data/iter1/pairs.parquet --rejects data/iter1/pair_rejects.parquet \\
    --metrics data/iter1/pair.json
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from curation.core import schema
from curation.core.ordered import Spill
from curation.pairing import penalties, responses, scale
from curation.pairing.cut import Tables, cut
from curation.pairing.figures import figures
from curation.pairing.pairs import PART, TEXT, make, part_of
from curation.pairing.rules import Rules
from pipelines.core import io, stage
from pipelines.core.arguments import Arguments, foreach, reads, writes
from pipelines.core.outputs import ROW_GROUP
from pipelines.core.params import Params, load
from pipelines.core.scratch import scratch
from pipelines.core.stage import Stage
from pipelines.shared import reviews

_SPILLED = 4 * ROW_GROUP  # pairs sorted at once
_TOKEN = 8  # bytes of a token id


class Args(Arguments):
    """What the stage reads, writes and is told."""

    generations: Path = reads()
    scores: Path = reads()
    prompts: Path = reads()
    reviews: Path | None = reads(default=None)
    table: Path = writes()
    rejects: Path = writes()
    metrics: Path = writes()
    iteration: str = foreach()


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the flags, pair, write; the exit code."""
    return stage.run("pair", Args, body, argv)


def rules_of(params: Params) -> Rules:
    """The pairing rules that params.yaml states."""
    return Rules(**params.pairs.model_dump(), seed=params.seeds.pairs)


def body(run: Stage, args: Args) -> None:
    """Read generations, scores and prompts; write pairs, rejects and metrics."""
    tables = Tables(
        io.scan(args.generations, schema.GENERATIONS),
        io.scan(args.scores, schema.SCORES),
        io.scan(args.prompts, schema.PROMPTS),
        args.iteration,
        reviews.verdicts(args.reviews),
    )
    rules = rules_of(load(args.params))
    size = pl.col("n_chars") + _TOKEN * pl.col("n_tokens")
    rows, text = tables.generations.select(pl.len(), size.sum()).collect().row(0)
    count = math.ceil(max(rows / PART, text / TEXT))
    if count < 2:
        found = _whole(run, args, tables, rules)
    else:
        found = _sliced(run, args, tables, rules, count)
    run.outputs.json(args.metrics, found)
    run.summary.rows_in = found["prompts"]
    run.summary.kept = found["pairs"]
    run.summary.rejected = found["rejects"]
    run.summary.note = (
        f"{found['responses']} responses, mean margin {found['margin_mean']:.4g}, "
        f"length penalty {found['length_penalty']:.4g}"
    )


def _whole(run: Stage, args: Args, tables: Tables, rules: Rules) -> dict[str, Any]:
    """Pair in memory."""
    made = make(tables, rules)
    run.outputs.table(args.table, schema.PAIRS, made.pairs)
    run.outputs.table(args.rejects, schema.REJECTS, made.rejects)
    return made.metrics


def _sliced(run: Stage, args: Args, tables: Tables, rules: Rules, count: int) -> dict[str, Any]:
    """Pair slice by slice, put each part aside sorted, and write them merged: the same rows."""
    jury = scale.jury(tables.scores, rules)
    tallies = []
    with scratch() as folder:
        slices = cut(tables, count, folder)
        loaded = (responses.load(one.generations, one.scores, jury, rules) for one in slices)
        penalty = penalties.resolved(rules.length_penalty, loaded)
        pairs = Spill(folder / "pairs", "pair_id")
        rejects = Spill(folder / "rejects", "item_id")
        for one in slices:
            part = part_of(one, jury, rules, penalty)
            for rows in part.pairs.iter_slices(_SPILLED):
                pairs.add(rows)
            rejects.add(part.rejects)
            tallies.append(part.tally)
            del part  # before the next is made
        run.outputs.parts(args.table, schema.PAIRS, pairs.parts())
        run.outputs.parts(args.rejects, schema.REJECTS, rejects.parts())
    return figures(tallies, rules, penalty, tables.iteration) | jury.told(rules)


if __name__ == "__main__":
    sys.exit(main())
