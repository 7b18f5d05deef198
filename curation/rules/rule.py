"""What a rule is: a name, a sentence of why, an expression of the rows to drop."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl

Threshold = Any


@dataclass(frozen=True)
class Rule:
    """One reason to drop an item.

    Attributes:
        name: The name in params.yaml and in the rejects.
        why: One sentence for people.
        drop: Threshold to an expression that is true for the rows to drop; null means keep.
        detail: Threshold to an expression that says what the rule saw.
        threshold: Default threshold; None where params.yaml must state it or the rule has none.
        takes: Type of the threshold; None where the rule has none.
        within: Least and greatest threshold that can mean anything.
        window: The expression looks at other rows, those that earlier rules dropped excepted.
        needs: Columns beyond every candidate's own that it reads.
        ranks: It reads `_place`, an item's place among those of its prompt.
        scored: It reads both scores, and drops nothing where no row has them.
        one_prompt: What it keeps has the same prompt on both sides.
    """

    name: str
    why: str
    drop: Callable[[Threshold], pl.Expr]
    detail: Callable[[Threshold], pl.Expr]
    threshold: Threshold = None
    takes: type | None = None
    within: tuple[float, float] = (-math.inf, math.inf)
    window: bool = False
    needs: tuple[str, ...] = ()
    ranks: bool = False
    scored: bool = False
    one_prompt: bool = False
