"""A combination's tables held against plain passes of transformers."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.matrix import flow, plain
from benchmarks.matrix.plain import Messages, Plain

TOLERANCE = 1e-4
SIDES = ("chosen", "rejected")


@dataclass
class Found:
    """What was seen of one combination.

    Attributes:
        sampled: sides of the history that this build has sampled; of these `cut` were cut.
        told: sides that are text; of these the plain conversation gives `restated` other ids.
        gaps: largest absolute differences, by what was compared.
        faults: what is not as it must be, a line each.
    """

    sampled: int = 0
    cut: int = 0
    told: int = 0
    restated: int = 0
    gaps: dict[str, float] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def gap(self, name: str, value: float) -> None:
        """Keep the largest difference of a kind."""
        self.gaps[name] = max(self.gaps.get(name, 0.0), abs(value))

    def judged(self) -> list[str]:
        """Faults, differences that are too large among them."""
        wide = [
            f"{name} differs by {gap:.2g}"
            for name, gap in self.gaps.items()
            if not gap <= TOLERANCE
        ]
        return [*self.faults, *wide]


def check() -> Found:
    """Check the tables of the current folder."""
    found, tokens = Found(), Plain(flow.START)
    prompts = dict(pl.read_parquet(flow.POOL).select("prompt_id", "messages").iter_rows())
    drawn = pl.read_parquet(flow.SAMPLED / "generations.parquet")
    _references(found, tokens, drawn)
    _trained(found)
    _scores(found, tokens, drawn, prompts)
    _evaluated(found, tokens, prompts)
    return found


def _references(found: Found, tokens: Plain, drawn: pl.DataFrame) -> None:
    """Every side of the history: its ids, and their log-probability under pi0."""
    model = plain.policy(flow.START)
    drawn_ids = dict(drawn.select("generation_id", "token_ids").iter_rows())
    stored = {row["pair_id"]: row for row in _rows(flow.SAMPLED / "reference.parquet")}
    own = {row["pair_id"]: row for row in _rows(flow.SAMPLED / "pairs.parquet")}
    for pair in _rows(flow.SAMPLED / "history.parquet"):
        sampled = own.get(pair["pair_id"])
        for side in SIDES:
            if sampled is None:
                ids = _told(found, tokens, pair, side)
            else:
                ids = drawn_ids[sampled[f"{side}_id"]]
                _same_ids(found, tokens, ids, pair, side)
            value = plain.logprob(model, tokens.prompt(pair["prompt"]), ids)
            kind = "text" if sampled is None else "sampled"
            found.gap(f"{kind} log-prob", value - stored[pair["pair_id"]][f"ref_{side}_logps"])
    if not found.sampled:
        found.faults.append("no pair of sampled responses")


def _same_ids(found: Found, tokens: Plain, ids: list[int], pair: dict[str, Any], side: str) -> None:
    cut = ids[-1] != tokens.end
    found.sampled += 1
    found.cut += cut
    if pair[f"{side}_token_ids"] != ids:
        found.faults.append(f"history has other ids of {side} than were sampled")
    if pair[f"{side}_cut"] != cut:
        found.faults.append(
            f"history says cut: {pair[f'{side}_cut']} of {side} that ends {ids[-1]}"
        )


def _told(found: Found, tokens: Plain, pair: dict[str, Any], side: str) -> list[int]:
    if pair[f"{side}_token_ids"]:
        found.faults.append(f"an imported {side} has ids")
    text = pair[side][-1]["content"]
    ids, agrees = tokens.answer(pair["prompt"], text, cut=bool(pair[f"{side}_cut"]))
    found.told += 1
    found.restated += not agrees
    return ids


def _trained(found: Found) -> None:
    """At the first step the policy is the reference, so that the loss is ln 2 to the last bit.

    It is another one if the trainer reads other ids than the stored log-probs are of.
    """
    told = _json("dpo.json")
    found.gap("first DPO loss - ln 2", told["loss"] - math.log(2))
    if told["steps"] != 1 or told["too_long"]:
        found.faults.append(f"DPO took {told['steps']} steps, {told['too_long']} pairs too long")


def _scores(found: Found, tokens: Plain, drawn: pl.DataFrame, prompts: dict[str, Messages]) -> None:
    model = plain.classifier(flow.JUDGE)
    stored = pl.read_parquet(flow.SAMPLED / "scores.parquet")
    rows = drawn.join(stored, on="generation_id").select("prompt_id", "token_ids", "reward")
    for name, ids, reward in rows.iter_rows():
        if reward is None:
            found.faults.append("a sampled response has no reward")
            continue
        found.gap("reward", plain.reward(model, [*tokens.prompt(prompts[name]), *ids]) - reward)
    if rows.height < drawn.height:
        found.faults.append(f"{drawn.height - rows.height} responses have no score")


def _evaluated(found: Found, tokens: Plain, prompts: dict[str, Messages]) -> None:
    """The KL that `evaluate` reports of the trained policy."""
    models = [plain.policy(path) for path in (flow.TRAINED, flow.START)]
    drawn = pl.read_parquet(flow.SAMPLED / "held_out.parquet")
    ratios: dict[str, list[float]] = {}
    for name, ids in drawn.select("prompt_id", "token_ids").iter_rows():
        asked = tokens.prompt(prompts[name])
        new, old = (plain.logprob(model, asked, ids) for model in models)
        ratios.setdefault(name, []).append(new - old)
    means = [sum(values) / len(values) for values in ratios.values()]
    found.gap("KL", sum(means) / len(means) - _json("evaluate.json")["kl"]["mean"])


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    return pl.read_parquet(path).iter_rows(named=True)


def _json(name: str) -> dict[str, Any]:
    return dict(json.loads((flow.SAMPLED / name).read_text("utf-8")))
