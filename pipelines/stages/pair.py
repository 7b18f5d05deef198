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
from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl

from curation.core import schema
from curation.core.ordered import Spill
from curation.pairing import scale
from curation.pairing.cut import Tables, cut
from curation.pairing.figures import Tally
from curation.pairing.pairs import PART, TEXT, Part, parts, penalty_of, summed
from curation.pairing.responses import judges_of
from curation.pairing.rules import Rules
from pipelines.core import io, stage
from pipelines.core.arguments import Arguments, foreach, reads, writes
from pipelines.core.params import Params, load
from pipelines.core.stage import Stage
from pipelines.shared import reviews

_SPILLED = 4 * io.ROW_GROUP  # pairs sorted at once


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
    rows, text = tables.generations.select(pl.len(), pl.col("n_chars").sum()).collect().row(0)
    count = math.ceil(max(rows / PART, text / TEXT))
    jury = scale.jury(tables.scores, judges_of(tables.scores, rules), rules)
    if count < 2:
        penalty = penalty_of([tables], jury, rules)
        tallies = _whole(run, args, parts([tables], jury, rules, penalty))
    else:
        with io.scratch() as folder:
            slices = cut(tables, count, folder)
            penalty = penalty_of(slices, jury, rules)
            tallies = _spilled(run, args, parts(slices, jury, rules, penalty), folder)
    figures = summed(tallies, rules, penalty, args.iteration) | jury.told(rules)
    run.outputs.json(args.metrics, figures)
    run.summary.rows_in = figures["prompts"]
    run.summary.kept = figures["pairs"]
    run.summary.rejected = figures["rejects"]
    run.summary.note = (
        f"{figures['responses']} responses, mean margin {figures['margin_mean']:.4g}, "
        f"length penalty {figures['length_penalty']:.4g}"
    )


def _whole(run: Stage, args: Args, made: Iterable[Part]) -> list[Tally]:
    """Write the one part there is."""
    (part,) = made
    run.outputs.table(args.table, schema.PAIRS, part.pairs)
    run.outputs.table(args.rejects, schema.REJECTS, part.rejects)
    return [part.tally]


def _spilled(run: Stage, args: Args, made: Iterable[Part], folder: Path) -> list[Tally]:
    """Put every part aside sorted, then write them merged: the same rows in less memory."""
    tallies = []
    pairs = Spill(folder / "pairs", "pair_id")
    rejects = Spill(folder / "rejects", "item_id")
    for part in made:
        for start in range(0, part.pairs.height, _SPILLED):
            pairs.add(part.pairs.slice(start, _SPILLED))
        rejects.add(part.rejects)
        tallies.append(part.tally)
        del part  # before the next is made
    run.outputs.parts(args.table, schema.PAIRS, pairs.parts())
    run.outputs.parts(args.rejects, schema.REJECTS, rejects.parts())
    return tallies


if __name__ == "__main__":
    sys.exit(main())
