"""What judges the checkable prompts: a program that labelled nothing.

Each row of train.jsonl and held_out.jsonl asks for a format that a function of constraints.py
judges, for a fact whose accepted answers it lists, or for both.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from data.checkable import constraints, facts

SETS = ("train.jsonl", "held_out.jsonl")


@cache
def rows() -> dict[str, dict[str, Any]]:
    """Every row by its prompt."""
    folder = Path(__file__).parent
    lines = [line for name in SETS for line in (folder / name).read_text("utf-8").splitlines()]
    return {row["prompt"]: row for row in map(json.loads, lines)}


def verdict(prompt: str, response: str) -> dict[str, Any]:
    """What a response keeps of what its prompt asks.

    Returns:
        kind: of constraint, or "fact" where the prompt asks for nothing but one.
        parts: format and fact, each a bool, where the prompt asks for it.
        reward: 1.0 where all that is asked for is kept, else 0.0.

    Raises:
        KeyError: the prompt is none of the set's.
    """
    row = rows().get(prompt)
    if row is None:
        raise KeyError("not a prompt of the checkable set")
    parts = {}
    if row["kind"] != "fact":
        parts["format"] = constraints.kept(row["kind"], response, row["arguments"])
    if row["answers"]:
        parts["fact"] = facts.says(response, row["answers"])
    return {"kind": row["kind"], "parts": parts, "reward": float(all(parts.values()))}


def reward(prompt: str, response: str) -> float:
    """Format and fact together: the share that a response keeps of what its prompt asks, 0 to 1.

    A label for pairs: a right answer in the wrong form beats a wrong one in it by nothing, and
    both together beat either.

    Raises:
        KeyError: the prompt is none of the set's.
    """
    parts = verdict(prompt, response)["parts"]
    return sum(parts.values()) / len(parts)
