"""What is looked for in a file's items, and from which share on a fault is major."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from curation.rules.filters import Bound, bind
from curation.rules.structural import STRUCTURAL

Severity = Literal["MAJOR", "MINOR", "INFO"]
SEVERITIES: tuple[Severity, ...] = ("MAJOR", "MINOR", "INFO")


@dataclass(frozen=True)
class Check:
    """A rule that is asked of every item.

    Attributes:
        rule: Its name in the ledger.
        major: The share of items from which it is MAJOR.
        drops: Whether a source of these rows had better name it among its filters.
    """

    rule: str
    major: float
    drops: bool = True


_FORM = tuple(Check(name, 0.05) for name in STRUCTURAL)
_LABELS = (
    Check("unknown_label", 0.05),
    Check("label_contradicted", 0.02),
    Check("tie", 0.5),
)
_SAID = (
    Check("messages_as_text", 0.01),
    Check("secret", 0.01),
    Check("run_on", 0.05),
    Check("answer_in_prompt", 0.05),
    Check("alike_responses", 0.1),
    Check("repetition", 0.1),
    Check("identity", 0.2),
    Check("cutoff_date", 0.2),
    Check("boilerplate", 0.5, drops=False),
    Check("refusal", 0.5, drops=False),
    Check("unfinished", 0.5, drops=False),
    Check("email", 0.2, drops=False),
)
_COMPARED = {
    *("unequal_prompts", "identical_responses", "alike_responses", "refusal"),
    *("unknown_label", "label_contradicted", "tie"),
}
_ANSWERED = {"empty_response", *(one.rule for one in _SAID)} - {"messages_as_text"}


def checks_of(kind: str) -> tuple[Check, ...]:
    """The checks of a kind of source."""
    without = {"preference": set(), "sft": _COMPARED, "prompts": _COMPARED | _ANSWERED}[kind]
    return tuple(one for one in (*_FORM, *_LABELS, *_SAID) if one.rule not in without)


def bound(checks: tuple[Check, ...]) -> list[Bound]:
    """The checks' rules with their defaults, in order."""
    return bind([one.rule for one in checks], "lint")


def severity(count: int, share: float, major: float) -> Severity:
    """How grave a fault is by how often it is there."""
    if not count:
        return "INFO"
    return "MAJOR" if share >= major else "MINOR"
