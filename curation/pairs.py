"""Scored responses in, training pairs and their ledger out; row order never matters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from polars_hash import NonCryptographicHashingNameSpace

from curation.core.errors import UserError
from curation.length_stats import auto_penalty, group, moments
from curation.pairing.choose import choose
from curation.pairing.figures import Tally, figures, joined, tally
from curation.pairing.gather import as_pairs, judged_by_rules, with_texts
from curation.pairing.ledger import candidate_rejects, prompt_rejects, response_rejects
from curation.pairing.responses import Responses, judges_of, load
from curation.pairing.rules import Rules
from curation.schema import REJECTS

PART = 4_000_000  # responses paired at once: about 1.5 GiB with their chosen texts


@dataclass(frozen=True)
class Made:
    """The pairs, the rejects and the figures of one iteration."""

    pairs: pl.DataFrame
    rejects: pl.DataFrame
    metrics: dict[str, Any]


@dataclass(frozen=True)
class Part:
    """The pairs, the rejects and the tally of some of an iteration's prompts."""

    pairs: pl.DataFrame
    rejects: pl.DataFrame
    tally: Tally
    penalty: float


@dataclass(frozen=True)
class Tables:
    """The three tables a pairing reads, the iteration they belong to, what people settled."""

    generations: pl.LazyFrame
    scores: pl.LazyFrame
    prompts: pl.LazyFrame
    iteration: str
    verdicts: pl.DataFrame | None = None
    whole: pl.LazyFrame | None = None  # of a part: the generations it is of

    @property
    def texts(self) -> pl.LazyFrame:
        """Where texts are read from: a table to be read in slices, so not a filtered one."""
        return self.generations if self.whole is None else self.whole


def make(
    generations: pl.LazyFrame,
    scores: pl.LazyFrame,
    prompts: pl.LazyFrame,
    rules: Rules,
    iteration: str,
    *,
    verdicts: pl.DataFrame | None = None,
) -> Made:
    """Pair the scored responses of one iteration in memory.

    Every prompt of the generations ends as pairs or as a reject, and every response without a
    usable score as a reject of its own; both are asserted.

    Raises:
        UserError: bad rewards, scores of unknown responses, unknown prompts, or no pair at all.
    """
    (part,) = parts(Tables(generations, scores, prompts, iteration, verdicts), rules, 1)
    metrics = summed([part.tally], rules, part.penalty, iteration)
    return Made(part.pairs, part.rejects, metrics)


def parts(tables: Tables, rules: Rules, count: int) -> Iterator[Part]:
    """Pair an iteration in ``count`` parts of its prompts, so that memory holds one part.

    The union of the parts is the same for every count.

    Raises:
        UserError: as `make`, but for no pair at all, which `summed` raises.
    """
    judges = judges_of(tables.scores, rules)
    slices = [_slice(tables, number, count) for number in range(count)]
    if count > 1:
        _no_strays(tables)
        rules = _fixed_penalty(slices, judges, rules)
    for one in slices:
        yield _part(one, load(one.generations, one.scores, judges, rules), rules)


def summed(tallies: list[Tally], rules: Rules, penalty: float, iteration: str) -> dict[str, Any]:
    """The figures of all parts.

    Raises:
        UserError: no pair is left; the message counts the rejects by rule.
    """
    found = figures(tallies, rules, penalty)
    if not found["pairs"]:
        counts = ", ".join(f"{rule} {count}" for rule, count in found["rules"].items())
        raise UserError(
            f"{iteration}: no pair is left; dropped by rule: {counts or 'nothing'}; "
            "see pairs.* in params.yaml"
        )
    return found


def _slice(tables: Tables, number: int, count: int) -> Tables:
    """The prompts whose hash falls to a part, with their responses and scores."""
    if count == 1:
        return tables
    place: pl.Expr = NonCryptographicHashingNameSpace(pl.col("prompt_id")).xxhash64() % count
    own = tables.generations.filter(place == number)
    ids = own.select("generation_id")
    scores = tables.scores.join(ids, on="generation_id", how="semi")
    return replace(tables, generations=own, scores=scores, whole=tables.generations)


def _no_strays(tables: Tables) -> None:
    """Scores of unknown responses fall out of every slice, so they are looked for here."""
    ids = tables.generations.select("generation_id")
    stray = tables.scores.select("generation_id").join(ids, on="generation_id", how="anti")
    found = stray.collect(engine="streaming")["generation_id"]
    if found.len():
        raise UserError(
            f"scores: {found.len()} rows judge responses that generations lacks, first "
            f"{found.sort()[0]}; score these generations again"
        )


def _fixed_penalty(slices: list[Tables], judges: list[str], rules: Rules) -> Rules:
    """The automatic penalty is one number for all parts: a first pass over their moments."""
    if rules.length_penalty != "auto":
        return rules
    found = []
    for one in slices:
        usable = load(one.generations, one.scores, judges, rules).usable
        length = usable[f"n_{rules.length_unit}"].to_numpy().astype(np.float64)
        found.append(moments(group(usable["prompt_id"]), usable["reward"].to_numpy(), length))
    return replace(rules, length_penalty=auto_penalty(joined(found)))


def _part(tables: Tables, responses: Responses, rules: Rules) -> Part:
    choice = choose(responses, rules)
    texts = with_texts(choice.candidates, tables.texts, tables.prompts)
    judged = judged_by_rules(texts, rules, tables.verdicts)
    dropped = judged.filter(pl.col("rule").is_not_null())
    stage = f"pair@{tables.iteration}"
    sources = tables.prompts.select("prompt_id", "source").collect()
    lone = prompt_rejects(responses, choice, stage, sources)
    singles = response_rejects(responses, stage, sources)
    rejects = pl.concat([singles, candidate_rejects(dropped, stage), lone]).select(REJECTS.names)
    pairs = as_pairs(judged.filter(pl.col("rule").is_null()), tables.iteration, rules)
    with_candidates = choice.candidates["prompt_id"].n_unique()
    assert with_candidates + lone.height == choice.prompts.len(), "a prompt was lost"
    assert pairs.height + dropped.height == choice.candidates.height, "a candidate was lost"
    return Part(pairs, rejects, tally(responses, choice, pairs, rejects), choice.penalty)
