"""What another way of pairing would change, from stored scores and without a model."""

from __future__ import annotations

from typing import Any

import polars as pl

KEYS = ["prompt_id", "chosen_id", "rejected_id"]
FIGURES = (
    ("pairs", "pairs"),
    ("yield", "prompts with a pair"),
    ("margin_mean", "mean margin"),
    ("chosen_reward_mean", "mean reward, chosen"),
    ("rejected_reward_mean", "mean reward, rejected"),
    ("chosen_chars_mean", "mean characters, chosen"),
    ("rejected_chars_mean", "mean characters, rejected"),
    ("chosen_longer_rate", "chosen is longer"),
    ("cut_rate", "a side was cut at the limit"),
    ("length_penalty", "length penalty"),
    ("length_adjusted_pearson", "within-prompt Pearson of adjusted reward and length"),
)


def changes(before: pl.DataFrame, after: pl.DataFrame) -> dict[str, int]:
    """How the comparisons of two pairings differ.

    kept: the same two responses in the same order; flipped: the same two, the other way round;
    added and dropped: only after, only before. Both frames need the columns of `KEYS`.
    """
    turned = before.select(
        "prompt_id", chosen_id="rejected_id", rejected_id="chosen_id"
    )  # as they would stand if the labels were the other way round
    kept = after.join(before, on=KEYS, how="semi").height
    flipped = after.join(turned, on=KEYS, how="semi").height
    return {
        "kept": kept,
        "flipped": flipped,
        "added": after.height - kept - flipped,
        "dropped": before.height - kept - flipped,
    }


def summary(before: dict[str, Any], after: dict[str, Any], moved: dict[str, int]) -> dict[str, Any]:
    """Counts of changed pairs, and each figure before, after and as a difference.

    Args:
        before: metrics of the stored pairing.
        after: metrics of the other one.
        moved: result of `changes`.
    """
    rows = {}
    for key, _ in FIGURES:
        old, new = before.get(key), after.get(key)  # a build of before may not have it
        change = None if old is None or new is None else new - old
        rows[key] = {"before": old, "after": new, "change": change}
    return {"changes": moved, "figures": rows, "rules": after["rules"]}


def text(found: dict[str, Any]) -> str:
    """The summary as lines for a terminal."""
    moved = ", ".join(f"{count} {name}" for name, count in found["changes"].items())
    width = max(len(label) for _, label in FIGURES)
    lines = [f"pairs: {moved}", "", f"{'':<{width}}  {'before':>12}  {'after':>12}  {'change':>12}"]
    for key, label in FIGURES:
        row = found["figures"][key]
        cells = "  ".join(f"{_cell(row[name]):>12}" for name in ("before", "after", "change"))
        lines.append(f"{label:<{width}}  {cells}")
    rules = ", ".join(f"{rule} {count}" for rule, count in found["rules"].items())
    return "\n".join([*lines, "", f"rejects after: {rules or 'none'}"])


def _cell(value: float | int | None) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.5g}"
