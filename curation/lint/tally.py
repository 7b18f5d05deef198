"""Every rule asked of every item, one by one: how often each holds, and of which rows first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import polars as pl

from curation.core import messages
from curation.core.threads import mapped
from curation.lint.report import Example
from curation.rules.filters import Bound

col = pl.col
EXAMPLES = 3
_SHOWN = 160  # characters of an example's text


class Tally:
    """Counts and examples of rules over batches of items."""

    def __init__(self, rules: Sequence[Bound]) -> None:
        self._rules = list(rules)
        self.items = 0
        self.counts: dict[str, int] = {rule.name: 0 for rule in rules}
        self.examples: dict[str, list[Example]] = {rule.name: [] for rule in rules}

    def over(self, batches: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """The batches, each counted as it passes."""
        for items, hits in mapped(self._asked, batches):
            self.items += items.height
            for name in hits.columns:
                self._take(name, items, hits[name])
            yield items

    def _asked(self, items: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        drops = [rule.drop.fill_null(False).alias(rule.name) for rule in self._rules]
        return items, items.select(drops)

    def _take(self, name: str, items: pl.DataFrame, hit: pl.Series) -> None:
        self.counts[name] += int(hit.sum())
        wanted = EXAMPLES - len(self.examples[name])
        if wanted and hit.any():
            rule = next(one for one in self._rules if one.name == name)
            shown = items.filter(hit).head(wanted)
            said = shown.select("source_row", said=rule.detail.fill_null(""))
            said = pl.concat([said, shown.select("prompt", "chosen", "rejected")], how="horizontal")
            said = said.select("source_row", "said", text=_shown(name))
            self.examples[name] += [
                Example(_number(row), told, text or "") for row, told, text in said.iter_rows()
            ]


def _shown(rule: str) -> pl.Expr:
    """The text that a rule's example shows: of the side that it names; none that is a secret."""
    if rule in _MASKED:
        return pl.lit("")
    asked = messages.text(col("prompt"))
    side = pl.when(col("said").str.starts_with("rejected")).then("rejected").otherwise("chosen")
    return (asked if rule in _OF_PROMPT else pl.coalesce(side, asked)).str.head(_SHOWN)


_MASKED = ("secret", "email")
_OF_PROMPT = {"empty_prompt", "template_text", "bad_roles", "odd_turns", "unequal_prompts"}


def _number(source_row: str) -> int:
    """A row's number from 1, of the first row where an item is made of several."""
    return int(source_row.partition("+")[0]) + 1
