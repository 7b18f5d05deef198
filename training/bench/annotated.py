"""One row of AlpacaEval's annotations."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Annotation:
    """One judged answer.

    Attributes:
        preference: in [1, 2].
        chars, baseline_chars: lengths in characters; the baseline's if known.
        place: how many rows of this model stand before it, those without a verdict among them.
    """

    model: str
    instruction: str
    preference: float
    chars: int
    baseline_chars: int | None = None
    place: int = 0
