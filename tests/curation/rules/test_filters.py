"""A source's filters as bound rules: in their order, parted, with those that every source has."""

from __future__ import annotations

from typing import Any

import pytest

from curation.rules.filters import Filters, of_source


def names(filters: Filters) -> tuple[list[str], list[str]]:
    return [rule.name for rule in filters.first], [rule.name for rule in filters.later]


@pytest.mark.parametrize(
    ("listed", "kind", "first", "later"),
    [
        ([], "prompts", [], ["duplicate_prompt"]),
        (["empty_prompt"], "sft", ["empty_prompt"], ["duplicate"]),
        (["bad_roles"], "preference", ["bad_roles", "unknown_label"], ["duplicate"]),
        (
            [{"per_prompt_cap": 2}, "bad_roles"],
            "preference",
            ["unknown_label"],
            ["per_prompt_cap", "bad_roles", "duplicate"],
        ),
        (
            ["bad_roles", "per_prompt_cap", "unknown_label"],
            "preference",
            ["bad_roles"],
            ["per_prompt_cap", "unknown_label", "duplicate"],
        ),
    ],
)
def test_rules_stand_before_or_behind_the_first_that_looks_at_others(
    listed: list[Any], kind: str, first: list[str], later: list[str]
) -> None:
    assert names(of_source(listed, kind, "sources.s.filters")) == (first, later)


def test_what_the_rules_read_is_known_before_any_row() -> None:
    plain = of_source(["structural"], "preference", "k")
    assert (plain.counts, plain.ranks, plain.waits, plain.one_prompt) == (False, False, False, True)
    both = of_source([{"over_long_prompt": 9}, "per_prompt_cap"], "sft", "k")
    assert (both.counts, both.ranks, both.waits, both.one_prompt) == (True, True, True, False)
