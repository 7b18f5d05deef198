"""Verifiable reward of GSM8K-style answers: the final number is the known one, or it is not."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

# What marks a final answer, from the surest to the loosest; the last match of the first that occurs
# counts: GSM8K's "#### 42", "\boxed{42}", the solvers' last line "A: 42", "the answer is 42".
_DIGITS = r"(?:(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)"
_NUMBER = rf"[-+]?\s?[$€£]?\s?[-+]?{_DIGITS}"
_MARKED = (
    rf"####\s*({_NUMBER})",
    rf"\\boxed\{{\s*\\?({_NUMBER})[^}}]*\}}",
    rf"^\s*A:\s*({_NUMBER})",
    rf"answer(?:\s+is)?\s*[:=]?\s*\**\s*({_NUMBER})",
)


def reward(prompt: str, response: str, answer: str) -> float:
    """1.0 where the response's final number equals the answer's, else 0.0.

    Args:
        prompt: not read; every reward function takes it.
        response: a solution; its marked answer counts, or without a mark its last number.
        answer: the known answer, or a whole reference solution that ends with it.

    Raises:
        ValueError: the known answer holds no number; such a row has no verdict.
    """
    del prompt
    known = final_number(answer)
    if known is None:
        raise ValueError(f"the known answer holds no number: {answer[-60:]!r}")
    return float(final_number(response) == known)


def final_number(text: str) -> Decimal | None:
    """The number a solution ends with, thousands separators and currency signs removed."""
    for pattern in _MARKED:
        found = re.findall(pattern, text, re.IGNORECASE | re.MULTILINE)
        if found:
            return _decimal(found[-1])
    numbers = re.findall(_NUMBER, text)
    return _decimal(numbers[-1]) if numbers else None


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(re.sub(r"[,\s$€£]", "", text)).normalize()
    except InvalidOperation:
        return None
