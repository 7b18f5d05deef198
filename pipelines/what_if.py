"""Re-pair the stored scores of one iteration another way and print what would change.

Run: prefloop what-if --iteration iter1 --strategy best_second --length-penalty auto

No model is loaded and nothing is written. What is not given stays as params.yaml has it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import ValidationError

from curation import schema
from curation.core.errors import UserError
from curation.pairing.rules import Rules
from curation.pairs import Made, make
from curation.what_if import changes, summary, text
from pipelines import reviews
from pipelines.core import io
from pipelines.core.params import Params, load
from pipelines.core.params.loop import Pairs

_KNOBS = (
    "strategy",
    "length_penalty",
    "length_unit",
    "min_margin",
    "truncated",
    "max_per_prompt",
    "top_k",
    "target_margin",
    "combine",
    "combine_k",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the flags, re-pair, print; the exit code."""
    args = _parser().parse_args(argv)
    try:
        found = compare(args.data, args.iteration, load(args.params), _given(args))
    except UserError as error:
        print(f"what-if: {error}", file=sys.stderr)
        return 2
    print(json.dumps(io.rounded(found), indent=2) if args.json else text(found))
    return 0


@dataclass(frozen=True)
class Scored:
    """What one iteration's pairing reads: its tables, or those of a share of its prompts."""

    generations: pl.LazyFrame
    scores: pl.LazyFrame
    prompts: pl.LazyFrame
    iteration: str
    verdicts: pl.DataFrame | None
    share: float = 1.0

    def pair(self, params: Params, changed: dict[str, Any]) -> Made:
        """Pair them as params.yaml says, but for the changed knobs.

        Raises:
            UserError: a knob has a wrong value, or no pair is left.
        """
        tables = (self.generations, self.scores, self.prompts)
        rules = _rules(params, changed)
        return make(*tables, rules, self.iteration, verdicts=self.verdicts)


def compare(data: Path, iteration: str, params: Params, changed: dict[str, Any]) -> dict[str, Any]:
    """Pair an iteration as params.yaml says and with changed knobs; the summary of what changes.

    Raises:
        UserError: a knob has a wrong value, or a table of the iteration is missing.
    """
    tables = scored(data, iteration)
    before, after = (tables.pair(params, knobs) for knobs in ({}, changed))
    return summary(before.metrics, after.metrics, changes(before.pairs, after.pairs))


def scored(data: Path, iteration: str) -> Scored:
    """The tables of an iteration, and what reviewers settled.

    Raises:
        UserError: a table of the iteration is missing.
    """
    folder = data / "iterations" / iteration
    return Scored(
        io.scan(folder / "generations.parquet", schema.GENERATIONS),
        io.scan(folder / "scores.parquet", schema.SCORES),
        io.scan(data / "prompts" / "prompts.parquet", schema.PROMPTS),
        iteration,
        reviews.verdicts(data / "reviews"),
    )


def sampled(tables: Scored, most: int) -> Scored:
    """The tables in memory, of about `most` prompts where there are more.

    A prompt's id is a hash, so the prompts with the smallest ids are a fair sample of them.
    """
    own = tables.generations
    prompts = own.select(pl.col("prompt_id").unique().sort()).collect()["prompt_id"]
    share = 1.0
    if prompts.len() > most:
        share = most / prompts.len()
        own = own.filter(pl.col("prompt_id") < prompts[most])
    held = own.collect()
    ids = held.lazy().select("generation_id")
    scores = tables.scores.join(ids, on="generation_id", how="semi").collect()
    asked = held.lazy().select("prompt_id").unique()
    pool = tables.prompts.join(asked, on="prompt_id", how="semi").collect()
    return replace(
        tables,
        generations=held.lazy(),
        scores=scores.lazy(),
        prompts=pool.lazy(),
        share=share,
    )


def _rules(params: Params, changed: dict[str, Any]) -> Rules:
    try:
        given = Pairs.model_validate({**params.pairs.model_dump(), **changed})
    except ValidationError as error:
        first = error.errors()[0]
        flag = str(first["loc"][0]).replace("_", "-")
        raise UserError(f"--{flag} {first['input']}: {first['msg']}") from error
    return Rules(**given.model_dump(), seed=params.seeds.pairs)


def _given(args: argparse.Namespace) -> dict[str, Any]:
    found = {knob: getattr(args, knob) for knob in _KNOBS}
    return {knob: value for knob, value in found.items() if value is not None}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="prefloop what-if",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--iteration", required=True)
    parser.add_argument("--data", type=Path, default=Path("data"), metavar="FOLDER")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), metavar="FILE")
    parser.add_argument("--json", action="store_true", help="print JSON")
    for knob in _KNOBS:
        parser.add_argument(f"--{knob.replace('_', '-')}", help=f"in place of pairs.{knob}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
