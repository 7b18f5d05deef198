"""Rules applied: the first matching one, in the order of params.yaml, names the reject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from curation.core.errors import UserError
from curation.core.words import meant
from curation.rules.rule import Rule, Threshold
from curation.rules.shared import RULES
from curation.rules.structural import STRUCTURAL

col = pl.col
Bound = tuple[Rule, Threshold]


def bind(filters: Sequence[str | Mapping[str, Any]], key: str) -> list[Bound]:
    """Rules with their thresholds from a list of params.yaml, "structural" expanded.

    Raises:
        UserError: an unknown rule, one listed twice, or a threshold of the wrong type or size.
    """
    named: list[tuple[str, Threshold]] = []
    for entry in filters:
        if entry == "structural":
            named.extend((name, None) for name in STRUCTURAL)
        elif isinstance(entry, str):
            named.append((entry, None))
        else:
            named.extend(entry.items())
    bound = [_bind(name, given, key) for name, given in named]
    names = [rule.name for rule, _ in bound]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"{key}: {name} is listed twice")
    return bound


def with_label(rules: Sequence[Bound], kind: str) -> tuple[Bound, ...]:
    """The rules of a source; of a preference set, unknown_label stands before the first cap."""
    if kind != "preference" or any(rule.name == "unknown_label" for rule, _ in rules):
        return tuple(rules)
    first = next((place for place, (rule, _) in enumerate(rules) if rule.window), len(rules))
    return (*rules[:first], _bind("unknown_label", None, "filters"), *rules[first:])


def _bind(name: str, given: Threshold, key: str) -> Bound:
    if name not in RULES:
        raise UserError(f"{key}: no rule is named {name}; {meant(name, ['structural', *RULES])}")
    rule = RULES[name]
    if given is None:
        if rule.takes is not None and rule.threshold is None:
            raise UserError(f"{key}.{name}: needs a threshold, as in {{{name}: 1000}}")
        return rule, rule.threshold
    if rule.takes is None:
        raise UserError(f"{key}.{name}: takes no threshold, but got {given!r}")
    fits = isinstance(given, int | float if rule.takes is float else rule.takes)
    if not fits or isinstance(given, bool):
        raise UserError(f"{key}.{name}: {given!r} is not of type {rule.takes.__name__}")
    _check_value(rule, given, f"{key}.{name}")
    return rule, given


def _check_value(rule: Rule, given: Threshold, key: str) -> None:
    """Raise UserError for a threshold that can mean nothing."""
    if isinstance(given, list):
        if not given or not all(isinstance(one, str) and one for one in given):
            raise UserError(f"{key}: {given!r} is not a list of texts")
        return
    low, high = rule.within
    if not low <= given <= high:
        raise UserError(f"{key}: {given!r} is not within {low:g} and {high:g}")


def judge(frame: pl.LazyFrame, rules: Sequence[Bound]) -> pl.LazyFrame:
    """The frame with a column _rule: the name of the first rule that drops a row, else null."""
    judged = frame.with_columns(pl.lit(None, dtype=pl.String).alias("_rule"))
    for group in _stages(rules):
        hits = [
            pl.when(rule.drop(threshold).fill_null(False)).then(pl.lit(rule.name))
            for rule, threshold in group
        ]
        judged = judged.with_columns(pl.coalesce(col("_rule"), *hits).alias("_rule"))
    return judged


def _stages(rules: Sequence[Bound]) -> list[list[Bound]]:
    """Runs of rules that can be decided together: a window rule stands alone."""
    stages: list[list[Bound]] = []
    for bound in rules:
        if bound[0].window or not stages or stages[-1][0][0].window:
            stages.append([])
        stages[-1].append(bound)
    return stages


def detail(rules: Sequence[Bound]) -> pl.Expr:
    """What the rule named in _rule saw, as text."""
    said = [
        pl.when(col("_rule") == rule.name).then(rule.detail(threshold)) for rule, threshold in rules
    ]
    return pl.coalesce(*said, pl.lit(""))
