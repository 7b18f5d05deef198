"""What must hold of a model's tokenizer and template before it costs GPU time.

Each promise is tried on the model's own files: rendered, encoded, decoded. None of them needs the
weights. A broken promise means that other tokens would be trained on, scored or stopped at than
are sampled; what is noted is handled, and said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.core.errors import UserError
from training.core import checkpoint, vocabulary
from training.core.chat_template import ChatTemplate
from training.core.promises import PROMISES, Subject, Verdict

__all__ = ["PROMISES", "Finding", "broken", "check", "complaint", "report"]


@dataclass(frozen=True)
class Finding:
    """One promise, whether it holds, and what was seen."""

    promise: str
    verdict: Verdict
    detail: str


def check(path: Path, *, trained: bool = True) -> list[Finding]:
    """Every promise about one checkpoint, in a fixed order.

    Args:
        trained: whether this build trains it; of a model that is only read, padding is noted.

    Raises:
        UserError: there is no tokenizer, or it has no chat template.
    """
    tokenizer = checkpoint.load_tokenizer(path)
    ends = vocabulary.declared_ends(path)
    subject = Subject(path, tokenizer, ChatTemplate(tokenizer), ends, trained)
    return [_tried(name, promise, subject) for name, promise in PROMISES.items()]


def broken(findings: Sequence[Finding]) -> list[Finding]:
    """Those that stop a build."""
    return [one for one in findings if one.verdict == "broken"]


def complaint(wrong: Sequence[Finding]) -> str:
    """Broken promises as one line."""
    more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    return f"{wrong[0].promise}: {wrong[0].detail}{more}"


def report(findings: Sequence[Finding]) -> dict[str, Any]:
    """The findings in the form of a gate's report, so that reports and SQL show them as one."""
    return {
        "table": "contract",
        "rows": len(findings),
        "passed": not broken(findings),
        "checks": [
            {
                "name": one.promise,
                "sentence": one.detail,
                "violations": int(one.verdict == "broken"),
                "examples": [one.verdict],
            }
            for one in findings
        ],
    }


def _tried(name: str, promise: Callable[[Subject], tuple[Verdict, str]], of: Subject) -> Finding:
    try:
        return Finding(name, *promise(of))
    except UserError as error:
        return Finding(name, "broken", str(error))
