"""What a judge said of a benchmark, in the form that the benchmark's own scripts write and read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from curation.core.errors import UserError
from pipelines.shared.records import Row

if TYPE_CHECKING:
    from training.bench.rewards.items import Item
    from training.bench.rewards.judge_bench import Decisions
    from training.bench.rewards.said import Said
    from training.core.statistics import Floats

_COLUMNS = {
    "judgebench": ("judgments",),
    "rm-bench": ("score_chosen", "score_rejected"),
    "rewardbench2": ("scores",),
    "rewardbench": ("scores_chosen", "scores_rejected"),
}


def has(bench: str, rows: Sequence[Row]) -> bool:
    """Whether the file holds what a judge said of its rows."""
    names = _COLUMNS.get(bench, ())
    return bool(names) and all(name in row for row in rows for name in names)


def decisions(path: Path, rows: Sequence[Row]) -> list[Decisions]:
    """JudgeBench's published judgments: what each game of each pair decided.

    Raises:
        UserError: a row has no games, or more than two.
    """
    found = []
    for number, row in enumerate(rows, start=1):
        games = row["judgments"]
        if not isinstance(games, list) or len(games) not in (1, 2):
            raise UserError(
                f"{path}: row {number}: judgments: give one game or two, in both orders"
            )
        found.append(tuple(None if game is None else game.get("decision") for game in games))
    if len({len(one) for one in found}) > 1:
        raise UserError(f"{path}: some pairs have one game and some two; score them apart")
    return found


def scores(path: Path, bench: str, rows: Sequence[Row]) -> list[Floats]:
    """The published scores of each row's responses, right ones first; NaN where one is missing.

    Raises:
        UserError: a score is no number.
    """
    found = []
    for number, row in enumerate(rows, start=1):
        given = [one for name in _COLUMNS[bench] for one in _listed(row[name])]
        try:
            found.append(np.array([_number(one) for one in given]))
        except (TypeError, ValueError) as error:
            raise UserError(f"{path}: row {number}: a score is no number ({error})") from error
    return found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _number(value: Any) -> float:
    """A score, which some outputs wrap in a list of one."""
    if isinstance(value, list):
        (value,) = value
    return float("nan") if value is None else float(value)


def judge_of(rows: Sequence[Row]) -> str:
    """Who judged, as the first row says, else `published`."""
    first = rows[0]
    games = [game for game in first.get("judgments") or [] if game]
    inner = games[0].get("judgment") if games else None
    if isinstance(inner, dict) and inner.get("judge_model"):
        return str(inner["judge_model"])
    return str(first.get("judge_name") or first.get("model") or "published")


def written(bench: str, judge: str, items: Sequence[Item], said: Said) -> str:
    """The rows with the judge's scores, as the benchmark's own scripts have them.

    JSON lines for JudgeBench and PPE, which gets a list `rewards`; RM-Bench's is one JSON array,
    RewardBench's one object of columns.
    """
    rows = [dict(item.row) | _said(bench, judge, item, said, n) for n, item in enumerate(items)]
    if bench == "rm-bench":
        return json.dumps(rows, ensure_ascii=False, indent=2) + "\n"
    if bench in ("rewardbench", "rewardbench2"):
        columns = {name: [row.get(name) for row in rows] for name in rows[0]}
        return json.dumps({**columns, "model": judge}, ensure_ascii=False) + "\n"
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _said(bench: str, judge: str, item: Item, said: Said, place: int) -> dict[str, Any]:
    if bench == "judgebench" and not said.scores:
        return {}
    plain = [None if np.isnan(one) else float(one) for one in said.scores[place]]
    cut = len(item.right)
    if bench == "judgebench":
        orders = (plain, plain[::-1])
        games = [
            {"judgment": {"judge_model": judge, "scores": order}, "decision": one}
            for order, one in zip(orders, said.decisions[place], strict=True)
        ]
        return {"judge_name": "prefloop", "judgments": games}
    if bench == "rm-bench":
        return {"score_chosen": plain[:cut], "score_rejected": plain[cut:]}
    if bench == "rewardbench2":
        return {"scores": plain, "num_correct": cut, "id": item.key}
    if bench == "rewardbench":
        return {"scores_chosen": plain[0], "scores_rejected": plain[1], "id": item.key}
    return {"rewards": plain}
