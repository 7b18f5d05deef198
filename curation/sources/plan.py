"""In which order a source's rules are asked, and what they need to know of the items."""

from __future__ import annotations

from dataclasses import dataclass

from curation.rules import filters
from curation.rules.filters import Bound
from curation.sources.base import Kind
from curation.sources.judged import Normaliser

_DUPLICATE = {"prompts": "duplicate_prompt"}


@dataclass(frozen=True)
class Plan:
    """The rules of a source in two parts.

    Attributes:
        first: those that look at one item alone, up to the first that looks at others.
        later: that one and all behind it; the last drops second copies of an item.
    """

    first: list[Bound]
    later: list[Bound]

    @property
    def rules(self) -> list[Bound]:
        """All rules in order."""
        return [*self.first, *self.later]

    @property
    def counts(self) -> bool:
        """Whether a rule reads the number of tokens."""
        return any("prompt_tokens" in rule.needs for rule, _ in self.rules)

    @property
    def ranks(self) -> bool:
        """Whether a rule reads an item's place among those of its prompt."""
        return any(rule.ranks for rule, _ in self.later)

    @property
    def waits(self) -> bool:
        """Whether a later rule looks at more than the keys."""
        return len(self.later) > 1

    @property
    def one_prompt(self) -> bool:
        """Whether the living items' contexts are known to be equal; they are then spilled once."""
        return any(rule.one_prompt for rule, _ in self.first)


def plan_of(source: Normaliser) -> Plan:
    """The source's rules, and the one that drops copies behind them."""
    rules = [*source.rules, *filters.bind([duplicate_rule(source.format.kind)], source.name)]
    start = next(place for place, (rule, _) in enumerate(rules) if rule.window)
    return Plan(rules[:start], rules[start:])


def duplicate_rule(kind: Kind) -> str:
    """Name of the rule that drops a second copy of an item."""
    return _DUPLICATE.get(kind, "duplicate")
