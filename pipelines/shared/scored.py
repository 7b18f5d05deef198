"""The stored scores of one iteration, to be paired another way without a model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import ValidationError

from curation.core import schema
from curation.core.errors import UserError
from curation.pairing.cut import Tables
from curation.pairing.pairs import Made, make
from curation.pairing.rules import Rules
from curation.pairing.what_if import changes, summary
from pipelines.core import io
from pipelines.core.params import Params
from pipelines.core.params.loop import Pairs
from pipelines.shared import reviews


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
        rules = _rules(params, changed)
        tables = (self.generations, self.scores, self.prompts)
        return make(Tables(*tables, self.iteration, self.verdicts), rules)


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


def compare(data: Path, iteration: str, params: Params, changed: dict[str, Any]) -> dict[str, Any]:
    """Pair an iteration as params.yaml says and with changed knobs; the summary of what changes.

    Raises:
        UserError: a knob has a wrong value, or a table of the iteration is missing.
    """
    tables = scored(data, iteration)
    before, after = (tables.pair(params, knobs) for knobs in ({}, changed))
    return summary(before.metrics, after.metrics, changes(before.pairs, after.pairs))


def _rules(params: Params, changed: dict[str, Any]) -> Rules:
    try:
        whole = {**params.pairs.model_dump(), **changed}
        given = Pairs.model_validate(whole, strict=False)  # a form gives numbers as text
    except ValidationError as error:
        first = error.errors()[0]
        flag = str(first["loc"][0]).replace("_", "-")
        raise UserError(f"--{flag} {first['input']}: {first['msg']}") from error
    return Rules(**given.model_dump(), seed=params.seeds.pairs)
