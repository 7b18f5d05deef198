"""Scored responses in, training pairs and their ledger out; row order never matters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from curation.pairing import penalties, scale
from curation.pairing.choose import choose
from curation.pairing.cut import Tables
from curation.pairing.figures import Tally, figures, tally
from curation.pairing.gather import as_pairs, judged_by_rules, with_texts
from curation.pairing.ledger import rejects
from curation.pairing.responses import Responses, below_finished, load
from curation.pairing.rules import Rules
from curation.pairing.scale import Jury

PART = 2_000_000  # responses paired at once: about a GiB with chosen texts of 400 characters
TEXT = 1_500_000_000  # bytes of responses and token ids paired at once: long ones stay under 2 GiB


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


def make(tables: Tables, rules: Rules) -> Made:
    """Pair the scored responses of one iteration in memory.

    Every prompt of the generations ends as pairs or as a reject, and every response without a
    usable score as a reject of its own; both are asserted.

    Raises:
        UserError: bad rewards, scores of unknown responses, unknown prompts, or no pair at all.
    """
    jury = scale.jury(tables.scores, rules)
    responses = load(tables.generations, tables.scores, jury, rules)
    penalty = penalties.resolved(rules.length_penalty, [responses])
    part = _paired(tables, responses, rules, penalty)
    metrics = figures([part.tally], rules, penalty, tables.iteration) | jury.told(rules)
    return Made(part.pairs, part.rejects, metrics)


def part_of(one: Tables, jury: Jury, rules: Rules, penalty: float) -> Part:
    """Pair one slice of an iteration's prompts (`cut`); the union is the same for any number.

    Raises:
        UserError: as `make`, but for no pair at all, which `figures` of all parts raises.
    """
    return _paired(one, load(one.generations, one.scores, jury, rules), rules, penalty)


def _paired(tables: Tables, responses: Responses, rules: Rules, penalty: float) -> Part:
    responses = below_finished(responses, rules, penalty)
    choice = choose(responses, rules, penalty)
    texts = with_texts(choice.candidates, tables.generations, tables.prompts)
    judged = judged_by_rules(texts, rules, tables.verdicts)
    pairs = as_pairs(judged.filter(pl.col("rule").is_null()), tables.iteration, rules)
    dropped = judged.filter(pl.col("rule").is_not_null())
    sources = tables.prompts.select("prompt_id", "source").collect()
    gone = rejects(responses, choice, dropped, tables.iteration, sources)
    lone = gone.height - dropped.height - responses.dropped.height
    with_candidates = choice.candidates["prompt_id"].n_unique()
    assert with_candidates + lone == choice.prompts, "a prompt was lost"
    assert pairs.height + dropped.height == choice.candidates.height, "a candidate was lost"
    return Part(pairs, gone, tally(responses, choice, pairs, gone, penalty))
