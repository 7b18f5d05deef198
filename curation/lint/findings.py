"""From counts to findings: severities, reasons, rules, and the source entry for a recipe."""

from __future__ import annotations

from typing import Any

from curation.lint.checks import Check, checks_of, severity
from curation.lint.file import Read
from curation.lint.forms import Found
from curation.lint.report import Example, Finding, Report, ordered
from curation.mixing.dedup import THRESHOLD
from curation.rules.later import LATER
from curation.rules.shared import RULES
from curation.rules.structural import STRUCTURAL

_UNREAD_MAJOR, _COPIES_MAJOR, _CONFLICT_MAJOR, _NEAR_MAJOR, _SEEN_MAJOR = 0.02, 0.1, 0.05, 0.5, 0.01
_LONGER = 0.7
_BESIDE = (
    *("system", "history", "context", "input", "tools", "functions", "tool_calls", "messages"),
    *("conversations", "instruction", "question", "reasoning", "documents"),
)
"""Words in the names of columns that a conversation may need."""
_SCORES = ("score", "rating", "reward", "margin", "rank", "preference")


def report(files: tuple[str, ...], found: Found, done: Read) -> Report:
    """All that was found."""
    findings = [*_unreadable(done), *_of_rules(found, done), *_of_all(found, done)]
    findings += _of_columns(found, done)
    shown = ordered(findings)
    return Report(
        files=files,
        form=found.format.name,
        kind=found.format.kind,
        rows=done.rows,
        items=done.tally.items,
        findings=shown,
        figures={**done.whole.figures(), "columns_not_read": list(done.unread)},
        source=_source(files, found, shown),
    )


def _finding(
    check: str, count: int, of: int, major: float, *, why: str, rule: str | None,
    examples: tuple[Example, ...] = (),
) -> list[Finding]:  # fmt: skip
    """One finding, or none where the count is 0."""
    if not count:
        return []
    share = count / max(1, of)
    return [Finding(check, severity(count, share, major), count, share, why, rule, examples)]


def _unreadable(done: Read) -> list[Finding]:
    made = []
    for rule, count in done.bad.counts.items():
        held = [one for one in done.bad if one.rule == rule]
        examples = tuple(Example(0, one.detail, one.raw[:160]) for one in held)
        why = LATER.get(rule) or RULES[rule].why
        made += _finding(
            rule, count, done.rows, _UNREAD_MAJOR, why=why, rule=rule, examples=examples
        )
    return made


def _of_rules(found: Found, done: Read) -> list[Finding]:
    made = []
    for check in checks_of(found.format.kind):
        name = check.rule
        made += _finding(
            name,
            done.tally.counts[name],
            done.tally.items,
            check.major,
            why=RULES[name].why,
            rule=name,
            examples=tuple(done.tally.examples[name]),
        )
    return made


def _of_all(found: Found, done: Read) -> list[Finding]:
    items, whole = done.tally.items, done.whole
    if not items:
        return []
    count, examples = whole.copies()
    made = _finding("duplicate", count, items, _COPIES_MAJOR, why="The same item was read before.",
                    rule="duplicate", examples=tuple(examples))  # fmt: skip
    if found.format.kind == "preference":
        count, examples = whole.conflicts()
        made += _finding("conflict", count, items, _CONFLICT_MAJOR, why=LATER["conflict"],
                         rule="conflict", examples=tuple(examples))  # fmt: skip
        made += _longer(whole.figures())
    count, of, examples = whole.near(THRESHOLD)
    why = f"{LATER['near_duplicate']} Looked for among the first {of} prompts."
    made += _finding("near_duplicate", count, of, _NEAR_MAJOR, why=why,
                     rule="near_duplicate", examples=tuple(examples))  # fmt: skip
    count, examples = whole.contaminated()
    made += _finding("benchmark", count, items, _SEEN_MAJOR, why=LATER["benchmark"],
                     rule="benchmark", examples=tuple(examples))  # fmt: skip
    return made


def _longer(figures: dict[str, Any]) -> list[Finding]:
    share = figures.get("chosen_longer", 0.0)
    if share < _LONGER:
        return []
    why = f"Chosen is longer in {share:.0%} of the pairs: a model learns length."
    return [Finding("chosen_longer", "MINOR", 0, share, why, "length_gap")]


def _of_columns(found: Found, done: Read) -> list[Finding]:
    """Columns that nobody reads although a conversation, or a rule, may need them."""
    beside = [name for name in done.unread if any(word in name.lower() for word in _BESIDE)]
    made = []
    if beside:
        why = (
            f"Not read: {', '.join(beside)}; what stands there is lost. Name it in options.columns."
        )
        made.append(Finding("unread_column", "MINOR", done.rows, 1.0, why, None))
    scores = [name for name in done.unread if any(word in name.lower() for word in _SCORES)]
    if scores and not done.scored and found.format.kind == "preference":
        told = ", ".join(scores)
        why = f"No item has scores, and {told} are not read: tie and low_margin see none."
        made.append(Finding("unread_scores", "MINOR", done.rows, 1.0, why, None))
    return made


def _source(files: tuple[str, ...], found: Found, findings: tuple[Finding, ...]) -> dict[str, Any]:
    """The entry of a recipe's `sources`."""
    hit = {one.check for one in findings if one.count}
    checks = [one for one in checks_of(found.format.kind) if _listed(one, hit)]
    rules = [one.rule for one in checks]
    given: dict[str, Any] = {
        "kind": found.format.kind,
        "format": found.format.name,
        "path": files[0] if len(files) == 1 else _pattern(files),
        "license": "unknown",
        "filters": ["structural", *rules],
    }
    return given | ({"options": dict(found.options)} if found.options else {})


def _listed(check: Check, hit: set[str]) -> bool:
    return check.drops and check.rule in hit and check.rule not in STRUCTURAL


def _pattern(files: tuple[str, ...]) -> str:
    """A pattern of all files: their folder and their common ending."""
    folder, name = files[0].rpartition("/")[::2]
    return f"{folder or '.'}/*{name[name.find('.') :]}"
