"""Scored responses in, training pairs and their ledger out; row order never matters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from curation.core.errors import UserError
from curation.core.grouped import group
from curation.core.schema import REJECTS
from curation.pairing import scale
from curation.pairing.choose import choose
from curation.pairing.cut import Tables
from curation.pairing.figures import Tally, figures, joined, tally
from curation.pairing.gather import as_pairs, judged_by_rules, with_texts
from curation.pairing.ledger import candidate_rejects, prompt_rejects, response_rejects
from curation.pairing.penalties import Moments, auto_penalty, moments
from curation.pairing.responses import Responses, judges_of, load
from curation.pairing.rules import Rules
from curation.pairing.scale import Jury

PART = 2_000_000  # responses paired at once: about a GiB with chosen texts of 400 characters
TEXT = 1_500_000_000  # characters of the responses paired at once: keeps longer ones under 2 GiB


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
    tables = Tables(generations, scores, prompts, iteration, verdicts)
    jury = scale.jury(scores, judges_of(scores, rules), rules)
    penalty = penalty_of([tables], jury, rules)
    (part,) = parts([tables], jury, rules, penalty)
    metrics = summed([part.tally], rules, penalty, iteration) | jury.told(rules)
    return Made(part.pairs, part.rejects, metrics)


def penalty_of(slices: Sequence[Tables], jury: Jury, rules: Rules) -> float:
    """The length penalty as a number: the one given, or the automatic one of all slices together.

    The automatic one takes a pass of its own over rewards and lengths, a slice in memory at a time.
    """
    if rules.length_penalty != "auto":
        return rules.length_penalty
    return auto_penalty(joined([_moments(one, jury, rules) for one in slices]))


def _moments(one: Tables, jury: Jury, rules: Rules) -> Moments:
    responses = load(one.generations, one.scores, jury, rules)
    usable = responses.usable
    reward, length = usable["reward"].to_numpy(), responses.lengths(rules.length_unit)
    return moments(group(usable["prompt_id"]), reward, length)


def parts(slices: Sequence[Tables], jury: Jury, rules: Rules, penalty: float) -> Iterator[Part]:
    """Pair an iteration slice by slice of its prompts (`cut`), so that memory holds one of them.

    The union of the parts is the same for every number of slices.

    Raises:
        UserError: as `make`, but for no pair at all, which `summed` raises.
    """
    for one in slices:
        yield _part(one, load(one.generations, one.scores, jury, rules), rules, penalty)


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


def _part(tables: Tables, responses: Responses, rules: Rules, penalty: float) -> Part:
    choice = choose(responses, rules, penalty)
    texts = with_texts(choice.candidates, tables.generations, tables.prompts)
    judged = judged_by_rules(texts, rules, tables.verdicts)
    dropped = judged.filter(pl.col("rule").is_not_null())
    stage = f"pair@{tables.iteration}"
    sources = tables.prompts.select("prompt_id", "source").collect()
    lone = prompt_rejects(responses, choice, stage, sources)
    singles = response_rejects(responses, stage, sources)
    rejects = pl.concat([singles, candidate_rejects(dropped, stage), lone]).select(REJECTS.names)
    pairs = as_pairs(judged.filter(pl.col("rule").is_null()), tables.iteration, rules)
    with_candidates = choice.candidates["prompt_id"].n_unique()
    assert with_candidates + lone.height == choice.prompts, "a prompt was lost"
    assert pairs.height + dropped.height == choice.candidates.height, "a candidate was lost"
    return Part(pairs, rejects, tally(responses, choice, pairs, rejects, penalty))
