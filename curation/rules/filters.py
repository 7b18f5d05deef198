"""From a source's list of filters to bound rules: expressions, in the order they are asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from curation.core.errors import UserError
from curation.core.words import meant
from curation.rules.rule import Rule, Threshold
from curation.rules.shared import RULES
from curation.rules.structural import STRUCTURAL


@dataclass(frozen=True)
class Bound:
    """A rule with its threshold: what it drops and what it says, as expressions.

    The flags are those of `Rule`.
    """

    name: str
    drop: pl.Expr
    detail: pl.Expr
    needs: tuple[str, ...]
    window: bool
    ranks: bool
    scored: bool
    one_prompt: bool


@dataclass(frozen=True)
class Filters:
    """The rules of a source in two parts.

    Attributes:
        first: those that look at one item alone, up to the first that looks at others.
        later: that one and all behind it; the last drops second copies of an item.
    """

    first: Sequence[Bound]
    later: Sequence[Bound]

    @property
    def rules(self) -> list[Bound]:
        """All rules in order."""
        return [*self.first, *self.later]

    @property
    def counts(self) -> bool:
        """Whether a rule reads the number of tokens."""
        return any("prompt_tokens" in rule.needs for rule in self.rules)

    @property
    def ranks(self) -> bool:
        """Whether a rule reads an item's place among those of its prompt."""
        return any(rule.ranks for rule in self.later)

    @property
    def waits(self) -> bool:
        """Whether a later rule looks at more than the keys."""
        return len(self.later) > 1

    @property
    def one_prompt(self) -> bool:
        """Whether the living items' contexts are known to be equal; they are then spilled once."""
        return any(rule.one_prompt for rule in self.first)


def of_source(
    filters: Sequence[str | Mapping[str, Any]], kind: str, key: str, control: Sequence[str] = ()
) -> Filters:
    """The rules of a source of this kind: those it lists, and those that every such source has.

    In a preference set unknown_label stands before the first rule that looks at other items; the
    last rule of any source drops second copies.

    Args:
        control: what begins and ends turns in the recipe's own chat template; the rule
            control_tokens drops what spells one, whichever tokens it lists.

    Raises:
        UserError: as `bind`.
    """
    rules = bind(filters, key, control)
    start = next((place for place, rule in enumerate(rules) if rule.window), len(rules))
    first, later = rules[:start], rules[start:]
    if kind == "preference" and all(rule.name != "unknown_label" for rule in rules):
        first.append(_bind("unknown_label", None, key))
    later.append(_bind("duplicate_prompt" if kind == "prompts" else "duplicate", None, key))
    return Filters(first, later)


def bind(
    filters: Sequence[str | Mapping[str, Any]], key: str, control: Sequence[str] = ()
) -> list[Bound]:
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
    bound = [_bind(name, _with(control, name, given), key) for name, given in named]
    names = [rule.name for rule in bound]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"{key}: {name} is listed twice")
    return bound


def _with(control: Sequence[str], name: str, given: Threshold) -> Threshold:
    if name != "control_tokens" or not control:
        return given
    listed = RULES[name].threshold if given is None else given
    return [*listed, *control] if isinstance(listed, list | tuple) else given


def _bind(name: str, given: Threshold, key: str) -> Bound:
    if name not in RULES:
        raise UserError(f"{key}: no rule is named {name}; {meant(name, ['structural', *RULES])}")
    rule = RULES[name]
    if given is None:
        if rule.takes is not None and rule.threshold is None:
            raise UserError(f"{key}.{name}: needs a threshold, as in {{{name}: 1000}}")
        return _bound(rule, rule.threshold)
    if rule.takes is None:
        raise UserError(f"{key}.{name}: takes no threshold, but got {given!r}")
    fits = isinstance(given, int | float if rule.takes is float else rule.takes)
    if not fits or isinstance(given, bool):
        raise UserError(f"{key}.{name}: {given!r} is not of type {rule.takes.__name__}")
    _check_value(rule, given, f"{key}.{name}")
    return _bound(rule, given)


def _bound(rule: Rule, threshold: Threshold) -> Bound:
    return Bound(
        name=rule.name,
        drop=rule.drop(threshold),
        detail=rule.detail(threshold),
        needs=rule.needs,
        window=rule.window,
        ranks=rule.ranks,
        scored=rule.scored,
        one_prompt=rule.one_prompt,
    )


def _check_value(rule: Rule, given: Threshold, key: str) -> None:
    """Raise UserError for a threshold that can mean nothing."""
    if isinstance(given, list):
        if not given or not all(isinstance(one, str) and one for one in given):
            raise UserError(f"{key}: {given!r} is not a list of texts")
        return
    low, high = rule.within
    if not low <= given <= high:
        raise UserError(f"{key}: {given!r} is not within {low:g} and {high:g}")
