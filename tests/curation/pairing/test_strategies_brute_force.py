"""Every strategy against plain Python on random rewards, and what one lost score may move."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import combinations, product
from typing import Any

import numpy as np
import polars as pl
import pytest

from curation.pairing.rules import Rules

Pair = tuple[float, float]  # adjusted reward of chosen and of rejected


def answers(seed: int) -> tuple[dict[str, list[tuple[str, float]]], dict[str, list[float]]]:
    """30 prompts of 2 to 7 different texts, some rewards equal, and a second judge's rewards."""
    rng = random.Random(seed)
    said = {
        f"p{i:02}": [(f"{'w' * rng.randrange(9)} {i} {j}", rng.randrange(12) / 4) for j in range(n)]
        for i in range(30)
        for n in [rng.randrange(2, 8)]
    }
    return said, {p: [rng.randrange(12) / 4 for _ in rows] for p, rows in said.items()}


def expected(strategy: str, values: list[float], judged: list[Pair], rules: Rules) -> list[Pair]:
    """The pairs of one prompt, by adjusted reward, before ties and margins are dropped."""
    ranked = sorted(values, reverse=True)
    two = [(a, b) for a, b in combinations(ranked, 2)]
    if strategy == "best_worst":
        return [(ranked[0], ranked[-1])]
    if strategy == "best_second":
        return [(ranked[0], ranked[1])]
    if strategy == "target_margin":
        return [min(two, key=lambda p: abs(p[0] - p[1] - rules.target_margin))]
    if strategy == "top_k_bottom_k":
        k = min(rules.top_k, len(ranked) // 2)
        return list(product(ranked[:k], ranked[-k:]))
    by_value = sorted(zip(values, judged, strict=True), key=lambda row: -row[0])
    wide = [
        (np.std(np.subtract(a[1], b[1])), (a[0], b[0]))
        for a, b in combinations(by_value, 2)
        if a[0] - b[0] > 0 and a[0] - b[0] >= rules.min_margin
    ]
    return [max(wide)[1]] if wide else []


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(
    "strategy", ["best_worst", "best_second", "target_margin", "top_k_bottom_k", "uncertainty"]
)
def test_margins_are_those_of_brute_force(
    world: Callable[..., Any], strategy: Any, seed: int
) -> None:
    said, other = answers(seed)
    ensemble = strategy == "uncertainty"
    rules = Rules(
        strategy=strategy, scale="raw", length_penalty=0.03, target_margin=0.6, min_margin=0.2,
        judges={"rm": 1.0, "other": 1.0} if ensemble else {"rm": 1.0},
    )  # fmt: skip
    made = world(said, judges={"other": other}).make(rules)
    columns = ("chosen_adjusted", "rejected_adjusted")
    for prompt, rows in said.items():
        judged = [(reward, two) for (_, reward), two in zip(rows, other[prompt], strict=True)]
        raw = [sum(both) / 2 for both in judged] if ensemble else [both[0] for both in judged]
        values = [r - 0.03 * len(text) for r, (text, _) in zip(raw, rows, strict=True)]
        wanted = [
            pair
            for pair in expected(strategy, values, judged, rules)
            if pair[0] - pair[1] > 0 and pair[0] - pair[1] >= 0.2
        ]
        found = made.pairs.filter(prompt_id=prompt).select(columns).rows()
        margins = sorted(a - b for a, b in found)
        assert margins == pytest.approx(sorted(a - b for a, b in wanted)), prompt
        if not ensemble and strategy != "target_margin":  # equal margins may be of other pairs
            assert np.array(sorted(found)) == pytest.approx(np.array(sorted(wanted))), prompt


@pytest.mark.parametrize("strategy", ["best_worst", "best_random", "random", "top_k_bottom_k"])
def test_a_lost_score_moves_its_own_prompt_alone(world: Callable[..., Any], strategy: Any) -> None:
    whole = world(answers(5)[0])
    rules = Rules(strategy=strategy)
    before = whole.make(rules).pairs.sort("pair_id")
    for lost in ("p03-0", "p11-1", "p29-0"):
        scores = whole.scores.filter(pl.col("generation_id") != lost)
        made = type(whole)(whole.generations, scores, whole.prompts).make(rules)
        own = pl.col("prompt_id") == lost[:3]
        assert made.pairs.sort("pair_id").filter(~own).equals(before.filter(~own))
        assert lost not in {*made.pairs["chosen_id"], *made.pairs["rejected_id"]}
        told = made.rejects.filter(item_id=lost).select("rule", "detail").rows()
        assert told == [("missing_score", "rm: no row in scores")]
