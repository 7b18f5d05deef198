"""What lint found: findings with examples, figures, and the source entry for a recipe."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from curation.lint.checks import SEVERITIES, Severity


@dataclass(frozen=True)
class Example:
    """One row with the fault: its number in the file from 1 (0: not known), and what was seen."""

    row: int
    said: str
    text: str = ""


@dataclass(frozen=True)
class Finding:
    """One fault: how grave, how often, the rule that drops such rows (None: no rule does)."""

    check: str
    severity: Severity
    count: int
    share: float
    why: str
    rule: str | None
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True)
class Report:
    """All that lint says of rows of one form.

    Attributes:
        files: Paths of the files.
        rows: Native rows.
        items: Comparisons, demonstrations or prompts that they give.
        figures: Named numbers and small maps of them.
        source: The entry of `sources` in a recipe.
    """

    files: tuple[str, ...]
    form: str
    kind: str
    rows: int
    items: int
    findings: tuple[Finding, ...]
    figures: dict[str, Any] = field(default_factory=dict)
    source: dict[str, Any] = field(default_factory=dict)

    def worst(self) -> Severity | None:
        """The gravest severity, None where nothing was found."""
        found = {one.severity for one in self.findings}
        return next((one for one in SEVERITIES if one in found), None)


def ordered(findings: list[Finding]) -> tuple[Finding, ...]:
    """The gravest first, then the most frequent."""
    return tuple(
        sorted(findings, key=lambda one: (SEVERITIES.index(one.severity), -one.share, one.check))
    )
