"""What each stage did to the rows of one life: one query per stage, in the order of the graph.

Every query takes the ids as lists ($rows, $pairs, $prompts, $generations, $examples, $rejects)
and gives (stage, verdict, item, detail).
"""

from __future__ import annotations

from curation.core.statements import statement

ORDER = (
    "fetch",
    "standardize",
    "mix",
    "reward_model",
    "sft_mix",
    "prompts",
    "generate",
    "score",
    "review",
    "pair",
    "history",
    "reference",
    "dpo",
    "evaluate",
)
"""Stages as they follow one another in the life of a row."""

_STEPS = (
    "fetch",
    "preferences",
    "examples",
    "asked",
    "rejects",
    "mixes",
    "reward_models",
    "prompts",
    "sampled",
    "generations",
    "scores",
    "reviews",
    "pairs",
    "history",
    "reference",
    "trained",
)


def steps() -> list[str]:
    """The query of every step."""
    return [statement("curation.audit", f"why/{name}") for name in _STEPS]
